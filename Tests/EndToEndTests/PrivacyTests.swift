import Contracts
import Crypto
import Domain
import FaultSupport
import Glibc
import HTTPClient
import Platform
import PostgresClient
import RedisClient
import Storage
import TestSupport
import Testing

@Suite("A person's data", .needsPostgres, .needsRedis)
struct PrivacyTests {
    static let word = "xylophone"
    static let alice = "token:alice"

    @Test(
        "is exported whole, erased where it can be, and what stays verifies: for viewers, receipts and a restored backup"
    )
    func life() async throws {
        try await Stack.with("privacy", .init(latencyMilliseconds: 60)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let foreign = try await stack.create(Stack.Asked(rounds: 3))
            let own = try await stack.create(by: "alice", "Is the \(Self.word) worth it?")
            try await stack.remark(by: "alice", "Think of the \(Self.word), please.", on: foreign)
            try await stack.checkRefusedWhileRunning(foreign)
            for debate in [foreign, own] { try await stack.audit(debate) }

            try await stack.checkExport(of: own, contains: true, remarks: 1)
            try await stack.privacy(["erase", "--user", Self.alice], exits: 64, says: "can not be undone")
            try await stack.privacy(["erase", "--user", Self.alice, "--dry-run"], exits: 0, says: "2 would be erased")
            try await stack.checkExport(of: own, contains: true, remarks: 1)
            try await stack.privacy(["erase", "--user", Self.alice, "--yes"], exits: 0, says: "2 erased, 0 remaining")

            try await stack.checkNoCopy(of: [own, foreign])
            // Whoever comes now sees the same chain; of the other's debate all but the remark.
            try await stack.audit(own, viewers: stack.watchEverywhere(own))
            try await stack.audit(foreign, viewers: stack.watchEverywhere(foreign))
            try await stack.checkAnswers(own)
            let messages =
                try await stack.get("/api/v1/debates/\(foreign)/messages?limit=200").body["messages"]?.array ?? []
            stack.check(!messages.contains { $0["role"] == "user" }, "the remark is still shown")
            stack.check(!messages.isEmpty, "nothing of the other's debate is shown")

            try await stack.privacy(["erase", "--debate", own.text, "--yes"], exits: 0, says: "was erased before")
            try await stack.privacy(["erase", "--user", Self.alice, "--yes"], exits: 0, says: "0 erased, 0 remaining")
            try await stack.checkExport(of: own, contains: false, remarks: 0)
            try await stack.checkTools(own)
            try await stack.checkRestored(own)
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        }
    }

    @Test("is erased whole or not at all by a command that is killed, and its copy in Redis is gone with it")
    func killed() async throws {
        try await Stack.with("privacy-killed", .init(latencyMilliseconds: 0)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            for (point, isErased) in [(KillPoint.insideErasure, false), (.afterErasure, true)] {
                let debate = try await stack.create(by: "alice", "Is the \(Self.word) worth it?")
                try await stack.audit(debate)
                let before = try await PostgresEventLog(pool: stack.pool).read(debate, from: 1, limit: 1000)
                try await stack.killErasure(of: debate, at: point)
                let record = try await DebateStore(pool: stack.pool).debate(debate, within: .installation)
                stack.check((record?.erasedAt != nil) == isErased, "killed at \(point.rawValue): \(record as Any)")
                let after = try await PostgresEventLog(pool: stack.pool).read(debate, from: 1, limit: 1000)
                let erased = after.count { $0.data.isEmpty }
                stack.check(erased == (isErased ? before.count : 0), "\(erased) of \(before.count) events are erased")
                if isErased { try await stack.checkNoCopy(of: [debate]) }
                try await stack.privacy(
                    ["erase", "--debate", debate.text, "--yes"], exits: 0,
                    says: isErased ? "was erased before" : "1 erased")
                try await stack.audit(debate, viewers: stack.watchEverywhere(debate))
            }
        }
    }
}

extension Stack {
    func killErasure(of debate: DebateID, at point: KillPoint) async throws {
        var environment = ["ARAGORA_KILL_POINT": point.rawValue]
        if let url = plan.redisURL {
            environment.merge(["ARAGORA_REDIS_URL": url, "ARAGORA_REDIS_PREFIX": redisPrefix]) { $1 }
        }
        let tool = try tool(
            ["privacy", "erase", "--user", PrivacyTests.alice, "--yes"], name: "killed-\(point.rawValue)",
            with: environment)
        let end = try await end(of: tool)
        check(end == .signalled(SIGKILL), "the command ended with \(end): \(output(of: tool))")
    }

    /// One request as another principal than the service itself.
    private func send(by name: String, _ path: String, _ body: JSONValue) async throws -> Answer {
        let token = SignedToken(scope: name, expires: WallClock.nowMilliseconds() / 1000 + 600).text(
            secret: Array(Self.token.utf8))
        let reply = try await http.send(
            HTTPClientRequest(
                method: "POST", url: "http://127.0.0.1:\(ports(of: .api(1)).main)\(path)",
                headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"], body: body.bytes))
        return Answer(
            status: reply.status, body: (try? JSONParser.parse(reply.body)) ?? .null, headers: reply.headers)
    }

    func create(by name: String, _ question: String) async throws -> DebateID {
        let answer = try await send(
            by: name, "/api/v1/debates",
            ["question": .string(question), "rounds": 2, "agents": .array(["demo", "demo", "demo"])])
        guard let id = answer.body["debate_id"]?.string.flatMap({ DebateID($0) }) else {
            throw Late(description: "create answered \(answer.status) \(answer.text)")
        }
        return id
    }

    func remark(by name: String, _ text: String, on debate: DebateID) async throws {
        let answer = try await send(by: name, "/api/v1/debates/\(debate)/messages", ["content": .string(text)])
        check((200...299).contains(answer.status), "the remark got \(answer.status) \(answer.text)")
    }

    /// Runs `aragora privacy …`.
    @discardableResult
    func privacy(_ words: [String], exits code: Int32, says text: String) async throws -> String {
        let name = "privacy-\(UInt32.random(in: .min ... .max))"
        var environment: [String: String] = [:]
        if let url = plan.redisURL {
            environment = ["ARAGORA_REDIS_URL": url, "ARAGORA_REDIS_PREFIX": redisPrefix]
        }
        let tool = try tool(["privacy"] + words, name: name, with: environment)
        let end = try await end(of: tool)
        let said = output(of: tool)
        check(end == .exited(code), "privacy \(words) ended with \(end): \(said)")
        check(said.contains(text), "privacy \(words) does not say \"\(text)\": \(said)")
        return said
    }

    func checkRefusedWhileRunning(_ debate: DebateID) async throws {
        try await privacy(["erase", "--debate", debate.text, "--yes"], exits: 1, says: "wait for its end")
    }

    func checkExport(of debate: DebateID, contains: Bool, remarks: Int64) async throws {
        let path = "\(folder)/export-\(UInt32.random(in: .min ... .max))"
        try await privacy(
            ["export", "--user", PrivacyTests.alice, "--output", path], exits: 0, says: "remarks elsewhere")
        var status = stat()
        check(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600, "the export can be read by others")
        let text = StackFolder.read(path)
        let lines = text.split(separator: "\n").compactMap { try? JSONParser.parse(Array($0.utf8)) }
        check(lines.first?["kind"] == "export" && lines.last?["kind"] == "end", "the export is cut short")
        check(lines.last?["remarks"]?.int == remarks, "the export ends with \(lines.last.map { "\($0)" } ?? "nothing")")
        check(
            text.contains(PrivacyTests.word) == contains, "the export \(contains ? "lacks" : "still has") what was said"
        )
        let kinds = Dictionary(grouping: lines.compactMap { $0["kind"]?.string }, by: \.self).mapValues(\.count)
        guard contains else { return check(kinds["debate"] == nil, "an erased debate is still somebody's: \(kinds)") }
        let run = try await run(of: debate)
        check(kinds["event"] == Int(run.tail.seq), "the export has \(kinds["event"] ?? 0) of \(run.tail.seq) events")
        check(kinds["debate"] == 1 && kinds["receipt"] == 1 && (kinds["call"] ?? 0) > 0, "the export has \(kinds)")
        try await privacy(["export", "--user", PrivacyTests.alice, "--output", path], exits: 1, says: "exists")
    }

    func checkNoCopy(of debates: [DebateID]) async throws {
        try await withRedis { connection in
            let keys = try await TestRedis.keys(connection, redisPrefix)
            for debate in debates {
                check(!keys.contains { $0.contains(debate.text) }, "Redis still has \(debate)")
            }
        }
    }

    /// Every way to read the debate answers, and none with what was said.
    func checkAnswers(_ debate: DebateID) async throws {
        let debateBody = try await get("/api/v1/debates/\(debate)")
        check(debateBody.body["erased"] == true && debateBody.body["topic"] == "[erased]", debateBody.text)
        for path in [
            "", "/messages", "/events?limit=500", "/consensus", "/convergence", "/costs", "/export/json", "/export/md",
            "/receipt",
        ] {
            let answer = try await get("/api/v1/debates/\(debate)\(path)")
            check(answer.status == 200, "\(path) answers \(answer.status) \(answer.text)")
            check(!answer.text.contains(PrivacyTests.word), "\(path) still says what was said")
        }
        let events = try await get("/api/v1/debates/\(debate)/events?limit=500").body["events"]?.array ?? []
        check(
            !events.isEmpty && events.allSatisfy { $0["data"]?["erased"] == true }, "an event is not marked as erased")
        let list = try await get("/api/v1/debates?limit=100")
        check(list.status == 200 && !list.text.contains(PrivacyTests.word), "the list says what was said")
        let receipt = try await get("/api/v1/debates/\(debate)/receipt").body
        check(receipt["redacted"] == true, "the receipt does not say it")
        let id = receipt["receipt_id"]?.string ?? ""
        let integrity = try await send("POST", "/api/v2/receipts/\(id)/verify").body
        check(integrity["integrity_valid"] == true && integrity["chain_valid"] == true, "\(integrity)")
        let signature = try await send("POST", "/api/v2/receipts/\(id)/verify-signature").body
        check(signature["signature_valid"] == true, "\(signature)")
    }

    func checkTools(_ debate: DebateID) async throws {
        // What was erased can not be rebuilt, and the rest still verifies.
        for (words, code, text) in [
            (["db", "verify"], 0, "events are erased"),
            (["debate", "replay", debate.text], 66, "its data was erased"),
            (["debate", "replay", debate.text], 66, "its texts were taken out"),
            (["debate", "replay", "--json", debate.text], 66, #""erased":true"#),
        ] as [([String], Int32, String)] {
            let tool = try tool(words, name: "tool-\(UInt32.random(in: .min ... .max))")
            let end = try await end(of: tool)
            check(end == .exited(code), "aragora \(words) ended with \(end): \(output(of: tool))")
            check(output(of: tool).contains(text), "aragora \(words) does not say \"\(text)\": \(output(of: tool))")
        }
    }

    /// A backup of now brings nothing back, and is whole.
    func checkRestored(_ debate: DebateID) async throws {
        guard let url = plan.postgresURL else { return }
        let backups = try StackFolder.make("privacy-backups-\(UInt64.random(in: .min ... .max))")
        defer { StackFolder.remove(backups) }
        let target = try await StackDatabase.create(name: "\(database.name)_restored", in: url, on: loop)
        let folder = ["ARAGORA_BACKUP_DIR": backups]
        for words in [["backup", "create"], ["backup", "restore", "latest", "--database", target.name, "--force"]] {
            let tool = try tool(words, name: words[1], with: folder)
            let end = try await end(of: tool)
            check(end == .exited(0), "aragora \(words) ended with \(end): \(output(of: tool))")
        }
        let verify = try tool(["db", "verify"], name: "verify-restored", with: ["ARAGORA_POSTGRES_DSN": target.dsn])
        let end = try await end(of: verify)
        check(end == .exited(0) && output(of: verify).contains("events are erased"), output(of: verify))
        let restored = PGPool(configuration: PGConfiguration(dsn: target.dsn), loop: loop, log: .disabled)
        await restored.start()
        let record = try await DebateStore(pool: restored).debate(debate, within: .installation)
        check(record?.erasedAt != nil, "the restored debate is not erased")
        await restored.close()
        try await target.drop(on: loop)
    }
}
