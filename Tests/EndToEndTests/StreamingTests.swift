import Contracts
import Domain
import FaultSupport
import HTTPClient
import Platform
import PostgresClient
import TestSupport
import Testing

@Suite("A whole debate, from HTTP to WebSocket", .needsPostgres, .needsRedis)
struct StreamingTests {
    @Test("is streamed on both ports, decided, and has a receipt that verifies")
    func whole() async throws {
        try await Stack.with("whole") { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            for viewer in viewers {
                stack.check(viewer.connections == 1, "\(viewer.name) had to connect \(viewer.connections) times")
                stack.check(
                    viewer.types.first == "debate_start", "\(viewer.name) began with \(viewer.types.first ?? "nothing")"
                )
            }
            try await checkDecision(debate, stack)
            try await checkReceipt(debate, stack)
            let late = [stack.watch(debate), stack.watch(debate, through: .api(1))]
            try await stack.audit(debate, viewers: late)
        }
    }

    private func checkDecision(_ debate: DebateID, _ stack: Stack) async throws {
        let body = try await stack.get("/api/v1/debates/\(debate)").body
        stack.check(body["final_answer"]?.string?.isEmpty == false, "there is no final answer")
        stack.check(body["messages"]?.array?.isEmpty == false, "there are no messages")
        let tail = try await stack.run(of: debate).tail
        let events = try await stack.get("/api/v1/debates/\(debate)/events?since=0&limit=500").body
        stack.check(events["events"]?.array?.count == Int(tail.seq), "the api lists not all \(tail.seq) events")
    }

    private func checkReceipt(_ debate: DebateID, _ stack: Stack) async throws {
        let list = try await stack.get("/api/v2/receipts?debate_id=\(debate)")
        let id = (list.body["receipts"] ?? list.body["items"])?.array?.first?["receipt_id"]?.string
        guard let id else { return stack.note("no receipt is listed: \(list.status) \(list.text)") }
        let answer = try await stack.send("POST", "/api/v2/receipts/\(id)/verify")
        stack.check(answer.status == 200, "verify answers \(answer.status) \(answer.text)")
        for member in ["integrity_valid", "chain_valid"] {
            stack.check(answer.body[member]?.bool == true, "verify says \(answer.text)")
        }
    }

    @Test("a viewer that comes late reads the log from Postgres when Redis has nothing")
    func late() async throws {
        try await Stack.with("late") { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            try await stack.awaitEnd(debate)
            try await stack.withRedis { try await TestRedis.deleteAll($0, stack.redisPrefix) }
            try await stack.audit(debate, viewers: stack.watchEverywhere(debate), takeovers: 0)
        }
    }

    @Test("needs no Redis at all")
    func withoutRedis() async throws {
        try await Stack.with("no-redis", .init(redisURL: nil)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            try await stack.audit(debate, viewers: stack.watchEverywhere(debate), takeovers: 0)
        }
    }

    @Test("is run by the api itself where no worker is")
    func embedded() async throws {
        try await Stack.with("embedded", .init(environment: ["ARAGORA_EMBEDDED_RUNNER": "auto"])) { stack in
            try await stack.start(.api(1), .gateway(1))
            let debate = try await stack.create()
            try await stack.audit(debate, viewers: stack.watchEverywhere(debate), takeovers: 0)
        }
    }

    @Test("an api that dies with its embedded runner takes the debate up again")
    func embeddedRestart() async throws {
        try await Stack.with("embedded-restart", .init(environment: ["ARAGORA_EMBEDDED_RUNNER": "auto"])) { stack in
            try await stack.start(.api(1), .gateway(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(5, of: debate)
            try await stack.kill(.api(1))
            try await stack.start(.api(1))
            try await stack.audit(debate, viewers: viewers, takeovers: 1)
        }
    }

    @Test("twenty creates with one key at two apis are one debate")
    func idempotency() async throws {
        try await Stack.with("idempotency") { stack in
            try await stack.start(.api(1), .api(2), .gateway(1))
            let asked = Stack.Asked(key: "the-same-for-all")
            let ids = try await withThrowingTaskGroup(of: DebateID.self) { group in
                for number in 0..<20 {
                    group.addTask { try await stack.createWherever(asked, number) }
                }
                return try await group.reduce(into: Set<DebateID>()) { $0.insert($1) }
            }
            stack.check(ids.count == 1, "twenty creates made \(ids.count) debates")
            let count = try await stack.pool.query("SELECT count(*) AS n FROM debates")[0].int("n")
            stack.check(count == 1, "there are \(count) debates in Postgres")
            let other = try await stack.ask(
                Stack.Asked(question: "Another question altogether?", key: asked.key), to: .api(2))
            stack.check(other.status == 409, "another request under the same key answers \(other.status)")
            try await stack.start(.worker(1))
            for debate in ids { try await stack.audit(debate, takeovers: 0) }
        }
    }
}

extension Stack {
    /// Creates at one of two apis, waiting as told when the key is in use.
    func createWherever(_ asked: Asked, _ number: Int) async throws -> DebateID {
        var created: DebateID?
        try await eventually("create \(number) is answered") {
            let answer = try await self.ask(asked, to: .api(1 + number % 2))
            guard answer.status == 200 else {
                guard answer.status == 429, answer.headers["Retry-After"] != nil else {
                    throw Late(description: "create \(number) answers \(answer.status) \(answer.text)")
                }
                return false
            }
            created = answer.body["debate_id"]?.string.flatMap { DebateID($0) }
            return true
        }
        guard let created else { throw Late(description: "create \(number) has no debate_id") }
        return created
    }
}
