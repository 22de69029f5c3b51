import Contracts
import Domain
import Messaging
import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora
@testable import aragora_api

/// What was given up, at the command line: the real commands against a real API.
@Suite("Commands for what was given up", .needsPostgres, .timeLimit(.minutes(2)))
struct DeadLetterCommandTests {
    struct Outcome {
        let code: ExitCode
        let text: String
        var json: JSONValue { get throws { try JSONParser.parse(Array(text.utf8)) } }
    }

    /// Runs `aragora` with these words as `api`'s operator would.
    static func run(
        _ words: String..., on api: APIFixture, token: String = APIFixture.token
    ) async throws -> Outcome {
        try await run(words, on: api, token: token)
    }

    static func run(
        _ words: [String], on api: APIFixture, token: String = APIFixture.token, with more: [String: String] = [:]
    ) async throws -> Outcome {
        guard case .command(let type, let rest) = CommandTable.resolve(words) else {
            Issue.record("\(words) is no command")
            return Outcome(code: .usage, text: "")
        }
        let command = try type.init(try Arguments(rest, shape: type.shape))
        let printed = Lock("")
        let console = Console(
            isInteractive: false, usesColour: false, width: 80,
            writeOut: { text in printed.withLock { $0 += text } }, writeError: { _ in })
        let environment = [
            "ARAGORA_BASE_URL": "http://127.0.0.1:\(api.address.port)", "ARAGORA_API_TOKEN": token,
        ].merging(more) { $1 }
        let context = CommandContext(
            console: console, settings: CLISettings(lookup: { environment[$0] }), loop: api.loop)
        do {
            let code = try await command.run(context)
            return Outcome(code: code, text: printed.withLock { $0 })
        } catch let failure as CommandFailure {
            return Outcome(code: failure.code, text: failure.description)
        }
    }

    /// As if `count` messages had been tried for the last time.
    static func kill(_ count: Int, _ desk: WebhookTests.Desk) async throws {
        let hook = try await desk.subscribe(#""*""#)
        for _ in 0..<count {
            try #require(try await desk.api.send("POST", "/api/v1/webhooks/\(hook.id)/test").status == 200)
        }
        _ = try await desk.api.pool.execute(
            "UPDATE webhook_outbox SET dead_at = now(), attempts = 11, last_status = 503, failure = 'answered 503'")
    }

    @Test("what was given up is listed, and sent again one by one or all, and the exit code says whether it was there")
    func webhooks() async throws {
        try await WebhookTests.with { desk in
            #expect(try await Self.run("webhooks", "dead", on: desk.api).text == "Nothing was given up.\n")
            #expect(try await Self.run("webhooks", "retry", "--all", on: desk.api).code == .ok)
            try await Self.kill(3, desk)
            let shown = try await Self.run("webhooks", "dead", on: desk.api)
            let lines = shown.text.split(separator: "\n")
            #expect(shown.code == .ok && lines.count == 3)
            #expect(lines.allSatisfy { $0.hasPrefix("msg_") && $0.contains("11 attempts (answered 503)") }, "\(lines)")
            let ids = try await Self.run("webhooks", "dead", "--json", on: desk.api).json["dead_letters"]?.array?
                .compactMap { $0["id"]?.string }
            let first = try #require(ids?.first)
            #expect(
                try await Self.run("webhooks", "dead", "--limit", "1", "--json", on: desk.api).json["total"]?.int == 3)

            let one = try await Self.run("webhooks", "retry", first, on: desk.api)
            #expect(one.code == .ok && one.text == "✓ \(first) is sent again\n")
            #expect(await desk.go() == 1)
            #expect(desk.receiver.requests.last?.header("webhook-id") == first)
            let again = try await Self.run("webhooks", "retry", first, "--json", on: desk.api)
            #expect(again.code == .failed)
            #expect(try again.json["not_found"]?.array?.first?.string == first)
            #expect(try await Self.run("webhooks", "retry", "../x?y", on: desk.api).code == .failed)

            let all = try await Self.run("webhooks", "retry", "--all", "--json", on: desk.api)
            #expect(all.code == .ok)
            #expect(
                Set(try all.json["retried"]?.array?.compactMap(\.string) ?? []) == Set(ids ?? []).subtracting([first]))
            #expect(await desk.go() == 2)
            #expect(try await desk.letters().isEmpty)
        }
    }

    @Test("all are all: more than one page, each once")
    func pages() async throws {
        try await WebhookTests.with { desk in
            try await Self.kill(1, desk)
            _ = try await desk.api.pool.execute(
                """
                INSERT INTO webhook_outbox (org_id, endpoint_id, message_id, debate_id, event_type, target, body, dead_at)
                SELECT org_id, endpoint_id, 'msg_' || n, debate_id, event_type, target, body, now()
                FROM webhook_outbox, generate_series(1, 204) n
                """)
            let all = try await Self.run("webhooks", "retry", "--all", "--json", on: desk.api)
            #expect(try all.json["count"]?.int == 205)
            let left = try await desk.api.pool.query(
                "SELECT count(*) AS n FROM webhook_outbox WHERE dead_at IS NOT NULL")
            #expect(try left[0].int("n") == 0)
        }
    }

    @Test("a wrong token, no server and words that are none have exit codes of their own")
    func refusals() async throws {
        try await APIFixture.with { api in
            let wrong = try await Self.run("webhooks", "dead", on: api, token: "wrong")
            #expect(wrong.code == .failed && wrong.text.contains("the API refused"), "\(wrong.text)")
            for words in [["webhooks", "retry"], ["webhooks", "retry", "msg_1", "--all"], ["queue", "requeue"]] {
                let shape = words[0] == "queue" ? QueueRequeueCommand.shape : WebhooksRetryCommand.shape
                let arguments = try Arguments(Array(words.dropFirst(2)), shape: shape)
                #expect(throws: Arguments.UsageError.self) {
                    if words[0] == "queue" {
                        _ = try QueueRequeueCommand(arguments)
                    } else {
                        _ = try WebhooksRetryCommand(arguments)
                    }
                }
            }
        }
    }

    @Test("debates that were given up are listed and asked for again", .needsRedis)
    func queue() async throws {
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            #expect(try await Self.run("queue", "dead", on: api).text == "No debate was given up.\n")
            let debate = try await api.create("Was this one given up?")
            let bell = Doorbell(
                connection: api.backends.main.redis, keyspace: try #require(api.backends.keyspace.current))
            try await bell.bury(try #require(DebateID(debate)), reason: "adopted five times")
            let shown = try await Self.run("queue", "dead", on: api)
            #expect(shown.text.hasPrefix("\(debate)  given up 20") && shown.text.contains("adopted five times"))
            #expect(try await Self.run("queue", "dead", "--json", on: api).json["total"]?.int == 1)
            let none = try await Self.run("queue", "requeue", "dbt_none", on: api)
            #expect(none.code == .failed && none.text.hasPrefix("✗ dbt_none"))
            let all = try await Self.run("queue", "requeue", "--all", "--json", on: api)
            #expect(all.code == .ok)
            #expect(try all.json["requeued"]?.array?.first?["debate_id"]?.string == debate)
            #expect(try await Self.run("queue", "requeue", "--all", on: api).text == "No debate was given up.\n")
        }
    }
}
