import Contracts
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// The leaderboard over real debates of demonstration agents.
@Suite("Ratings in the API", .needsPostgres, .timeLimit(.minutes(1)))
struct RatingAPITests {
    /// A debate of two demonstration models, run to its end.
    private func finished(_ api: APIFixture, _ topic: String = "Should we use Postgres?") async throws -> String {
        let answer = try await api.send(
            "POST", "/api/v1/debates",
            #"{"topic":"\#(topic)","agents":["demo|alpha","demo|beta","demo|beta"],"rounds":1}"#)
        try #require(answer.status == 200, "\(answer.text)")
        let debate = try #require(answer.json["debate_id"]?.string)
        try await api.finish(debate)
        return debate
    }

    @Test("a demonstration makes a leaderboard that anyone may read, marked as one")
    func leaderboard() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on", "ARAGORA_ELO_INITIAL": "1200"]) { api in
            let empty = try await api.get("/api/v1/leaderboard", token: nil)
            #expect(empty.status == 200 && empty.json["total"]?.int == 0)
            let debate = try await finished(api)
            let board = try await api.get("/api/leaderboard", token: nil)
            let rows = try #require(board.json["rankings"]?.array)
            #expect(board.json["agents"]?.array?.count == rows.count && board.json["items"]?.array?.count == rows.count)
            #expect(Set(rows.compactMap { $0["name"]?.string }) == ["demo/alpha", "demo/beta"])
            #expect(rows.allSatisfy { $0["demo"]?.bool == true && $0["matches"]?.int == 1 })
            #expect(rows.map { $0["games"]?.int ?? 0 }.reduce(0, +) == 3)
            #expect(rows.compactMap { $0["elo"]?.double }.reduce(0, +) == 2400)
            #expect(try await api.get("/api/v1/rankings", token: nil).text == board.text)
            #expect(try await api.get("/api/leaderboard?min_debates=2", token: nil).json["total"]?.int == 0)
            #expect(try await api.get("/api/leaderboard?limit=0", token: nil).status == 400)

            let matches = try await api.get("/api/v1/matches/recent")
            let match = try #require(matches.json["matches"]?.array?.first)
            #expect(match["debate_id"]?.string == debate && match["number"]?.int == 1)
            #expect(match["participants"]?.array?.count == 3 && match["elo_changes"]?.object != nil)
            #expect(try await api.get("/api/v1/matches/recent", token: nil).status == 401)
        }
    }

    @Test("models are those of the configured providers that have a price, the usual one first")
    func models() async throws {
        let settings = ["MISTRAL_API_KEY": "test-key-of-mistral", "MISTRAL_MODEL": "mistral-of-ours"]
        try await APIFixture.with(settings) { api in
            let answer = try await api.get("/api/v1/models")
            let rows = try #require(answer.json["models"]?.array)
            #expect(Set(rows.compactMap { $0["provider"]?.string }) == ["mistral", "demo"])
            let mistral = rows.filter { $0["provider"]?.string == "mistral" }
            #expect(mistral[0]["model"]?.string == "mistral-of-ours" && mistral[0]["default"]?.bool == true)
            #expect(mistral[0]["price_assumed"]?.bool == true && mistral.count > 3)
            let large = try #require(mistral.first { $0["model"]?.string == "mistral-large-latest" })
            #expect(large["input_usd_per_million"]?.double == 0.5 && large["output_usd_per_million"]?.double == 1.5)
            #expect(large["price_assumed"]?.bool == false && large["default"]?.bool == false)
            #expect(!mistral.contains { $0["model"]?.string == "mistral-large" })
            #expect(rows.last?["model"]?.string == "demo" && rows.last?["output_usd_per_million"]?.double == 0)
            #expect(try await api.get("/api/models", token: nil).status == 401)
        }
    }

    @Test("agents are those that can be asked and those that were rated, with what they have")
    func agents() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on", "MISTRAL_API_KEY": "test-key-of-mistral"]) { api in
            _ = try await finished(api)
            let rows = try #require(try await api.get("/api/v1/agents").json["agents"]?.array)
            let names = rows.compactMap { $0["name"]?.string }
            #expect(Set(names.prefix(2)) == ["mistral/mistral-large-latest", "demo/demo"])
            #expect(Set(names.dropFirst(2)) == ["demo/alpha", "demo/beta"])
            #expect(rows[0]["available"]?.bool == true && rows[0]["elo"]?.double == 1500)
        }
    }

    @Test("a new debate names the ratings that its judge or its weights go by, and no other does")
    func create() async throws {
        try await APIFixture.with { api in
            _ = try await api.pool.execute(
                """
                INSERT INTO agent_ratings VALUES ('demo', 'alpha', 1600, 1, 1, 0, 0, 0, 0, 0, 0, 1),
                                                 ('demo', 'beta', 1400, 1, 0, 1, 0, 0, 0, 0, 0, 1)
                """)
            func specs(_ more: String) async throws -> [[Double?]] {
                let body = #"{"topic":"Postgres?","agents":["demo|alpha","demo|beta"],"rounds":1\#(more)}"#
                let answer = try await api.send("POST", "/api/v1/debates", body)
                let debate = try #require(answer.json["debate_id"]?.string)
                let page = try await api.get("/api/debates/\(debate)/events").json
                let start = try #require(page["events"]?.array?.first?["data"])
                return try #require(start["agent_specs"]?.array).map { [$0["rating"]?.double, $0["weight"]?.double] }
            }
            #expect(try await specs("") == [[nil, nil], [nil, nil]])
            #expect(try await specs(#","consensus":"weighted""#) == [[1600, 1.7783], [1400, 0.5623]])
            #expect(
                try await specs(#","consensus":"judge","judge_selection":"elo_ranked""#) == [
                    [1600, nil], [1400, nil],
                ])
        }
    }

    @Test("metrics tell of each provider its best model and its wins")
    func metrics() async throws {
        try await APIFixture.with { api in
            _ = try await api.pool.execute(
                """
                INSERT INTO agent_ratings VALUES ('demo', 'alpha', 1612.5, 9, 4, 0, 0, 0, 0, 0, 0, 1),
                                                 ('demo', 'beta', 1400, 9, 3, 1, 0, 0, 0, 0, 0, 1)
                """)
            await InstallationMetrics(
                stores: api.routes.create.stores, metrics: api.context.metrics, levels: api.levels, log: .disabled
            ).look()
            #expect(api.context.metrics.value(.agentElo, ["demo"]) == 1612.5)
            #expect(api.context.metrics.value(.agentWins, ["demo"]) == 7)
        }
    }

    @Test("a rebuild from the logs gives equal numbers, mends what differs, and rates what was left out")
    func rebuild() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            var debates: [String] = []
            for topic in ["Postgres?", "Redis?", "Kafka or not?"] { debates.append(try await finished(api, topic)) }
            let rebuild = RatingRebuild(pool: api.pool, rules: .standard)
            let sound = try await rebuild.check()
            #expect(sound.isSound && sound.matches == 3 && sound.agents == 2, "\(sound.problems)")
            let board = try await api.get("/api/leaderboard").text

            func mends(_ harm: SQL, _ problems: [String]) async throws {
                _ = try await api.pool.execute(harm)
                let found = try await rebuild.check()
                for problem in problems { #expect(found.problems.contains { $0.contains(problem) }, "\(found)") }
                let mended = try await rebuild.rebuild()
                #expect(mended.problemCount + mended.added > 0)
                let after = try await rebuild.check()
                #expect(after.isSound && after.matches == 3, "\(after)")
                #expect(try await api.get("/api/leaderboard").text == board)
            }
            try await mends("UPDATE agent_ratings SET elo = elo + 1 WHERE model = 'alpha'", ["demo/alpha: its rating"])
            try await mends("DELETE FROM agent_ratings", ["demo/alpha", "demo/beta"])
            try await mends("UPDATE match_agents SET votes = votes + 1 WHERE number = 2", ["match 2", "log says"])
            try await mends("UPDATE match_agents SET elo_after = 0 WHERE number = 1", ["match 1: ratings differ"])
            try await mends("DELETE FROM matches WHERE number = 3", [debates[2] + " completed with votes"])
            _ = try await api.pool.execute("DELETE FROM matches")
            #expect(try await rebuild.rebuild().added == 3)
            #expect(try await rebuild.check().isSound)
            #expect(try await api.get("/api/leaderboard").text == board)
            _ = try await api.pool.execute("DELETE FROM matches WHERE number = 1")
            #expect(try await rebuild.check().problems.contains { $0.contains("should have the number 1") })
            _ = try await rebuild.rebuild()
            #expect(try await rebuild.check().isSound)
        }
    }

    @Test("of an erased debate the match itself is the witness")
    func erased() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            _ = try await finished(api)
            let board = try await api.get("/api/leaderboard").text
            _ = try await api.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER ALL")
            _ = try await api.pool.execute("UPDATE debate_events SET data = '', salt = ''")
            let rebuild = RatingRebuild(pool: api.pool, rules: .standard)
            #expect(try await rebuild.check().erased == 1)
            _ = try await api.pool.execute("DELETE FROM agent_ratings")
            _ = try await rebuild.rebuild()
            #expect(try await rebuild.check().isSound)
            #expect(try await api.get("/api/leaderboard").text == board)
        }
    }
}
