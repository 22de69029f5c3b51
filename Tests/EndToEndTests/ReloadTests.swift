import Contracts
import Domain
import FaultSupport
import Glibc
import HTTP
import HTTPClient
import Platform
import PostgresClient
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Secrets that change while the stack runs", .needsPostgres, .needsRedis)
struct ReloadTests {
    @Test("a token rotated by file and SIGHUP: the new one is accepted, the old one while it is the previous one")
    func token() async throws {
        let folder = try StackFolder.make("secrets-\(UInt64.random(in: .min ... .max))")
        defer { StackFolder.remove(folder) }
        let (current, previous) = ("\(folder)/token", "\(folder)/previous")
        try StackFolder.write("\(Stack.token)\n", to: current)
        try StackFolder.write("", to: previous)
        let environment = [
            "ARAGORA_API_TOKEN": "", "ARAGORA_API_TOKEN_FILE": current, "ARAGORA_API_TOKEN_PREVIOUS_FILE": previous,
        ]
        try await Stack.with("reload-token", .init(environment: environment, latencyMilliseconds: 150)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(3, of: debate)

            let begun = try await stack.loadedAt(.gateway(1))
            try StackFolder.write("the-second-token-of-the-stack", to: current)
            try StackFolder.write(Stack.token, to: previous)
            try await stack.hangUp(.api(1), .gateway(1), .worker(1))
            try await stack.expect(["the-second-token-of-the-stack": 200, Stack.token: 200, "no-token": 401])
            let loaded = try await stack.loadedAt(.gateway(1))
            stack.check(loaded > begun, "the metric says that the settings are of \(loaded), as before")

            try StackFolder.write("", to: previous)
            try await stack.hangUp(.api(1), .gateway(1))
            // An emptied file may be half of a replacement: what was in it stays, and the log says so.
            try await stack.expect([Stack.token: 200])
            stack.forgiveErrors(containing: "setting not reloaded")

            try StackFolder.write("nobody-has-this-token", to: previous)
            try await stack.hangUp(.api(1), .gateway(1))
            try await stack.expect(["the-second-token-of-the-stack": 200, Stack.token: 401, "no-token": 401])

            // Who was let in is not thrown out, and the debate noticed nothing.
            try await stack.awaitEnd(debate)
            for viewer in viewers {
                try await stack.eventually("\(viewer.name) sees the end") { viewer.hasEnded }
                stack.check(viewer.connections == 1, "\(viewer.name) had to connect \(viewer.connections) times")
                stack.check(viewer.problems.isEmpty, "\(viewer.name): \(viewer.problems)")
            }
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        }
    }

    @Test(
        "a signing key rotated by file and SIGHUP: new receipts have the new key, and those of the old one still verify"
    )
    func signingKey() async throws {
        let folder = try StackFolder.make("secrets-\(UInt64.random(in: .min ... .max))")
        defer { StackFolder.remove(folder) }
        let (current, previous) = ("\(folder)/key", "\(folder)/previous")
        try StackFolder.write(Stack.signingKey, to: current)
        try StackFolder.write("", to: previous)
        let environment = [
            "ARAGORA_RECEIPT_SIGNING_KEY": "", "ARAGORA_RECEIPT_SIGNING_KEY_FILE": current,
            "ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS_FILE": previous,
        ]
        try await Stack.with("reload-key", .init(environment: environment, latencyMilliseconds: 0)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let first = try await stack.create()
            try await stack.audit(first)
            try StackFolder.write(Stack.signingKey, to: previous)
            try StackFolder.write(String(repeating: "0123456789abcdef", count: 4), to: current)
            try await stack.hangUp(.api(1), .worker(1))
            let second = try await stack.create()
            try await stack.awaitEnd(second)
            var names: Set<String> = []
            for debate in [first, second] {
                let receipt = try await stack.get("/api/v1/debates/\(debate)/receipt").body["receipt_id"]?.string ?? ""
                let found = try await stack.send("POST", "/api/v2/receipts/\(receipt)/verify-signature").body
                stack.check(found["signature_valid"] == true, "the receipt of \(debate) does not verify: \(found)")
                names.insert(found["key_id"]?.string ?? "none")
            }
            stack.check(names.count == 2 && !names.contains("none"), "the keys are \(names)")
        }
    }

    @Test("a Postgres password that is changed, and every session ended: the stack goes on with the new one")
    func postgresPassword() async throws {
        let server = try await PrivatePostgres.make(password: "first")
        let folder = try StackFolder.make("secrets-\(UInt64.random(in: .min ... .max))")
        defer { StackFolder.remove(folder) }
        let file = "\(folder)/dsn"
        let environment = ["ARAGORA_POSTGRES_DSN": "", "ARAGORA_POSTGRES_DSN_FILE": file]
        let plan = Stack.Plan(environment: environment, postgresURL: server.url, latencyMilliseconds: 100)
        do {
            try await Stack.with("reload-password", plan) { stack in
                try StackFolder.write(stack.database.dsn, to: file)
                try await stack.start(.api(1), .gateway(1), .worker(1))
                let debate = try await stack.create(Stack.Asked(rounds: 3))
                let viewers = stack.watchEverywhere(debate)
                try await stack.awaitEvents(4, of: debate)

                let changed = stack.database.dsn.replacing(":first@", with: ":second@")
                _ = try await stack.pool.execute("ALTER ROLE postgres PASSWORD 'second'")
                _ = stack.pool.configuration.adopt(PGConfiguration(dsn: changed))
                try StackFolder.write(changed, to: file)
                try await stack.hangUp(.api(1), .gateway(1), .worker(1))
                try await stack.endOtherSessions()

                try await stack.audit(debate, viewers: viewers)
                for member in [Stack.Member.api(1), .gateway(1), .worker(1)] { try await stack.ready(member) }
                // The proof that the password counts: a process with the old one does not get in.
                try await stack.start(.worker(2))
                try stack.spawn(
                    .worker(3), ["ARAGORA_POSTGRES_DSN": stack.database.dsn, "ARAGORA_STARTUP_TIMEOUT": "1"])
                let end = try await stack.ended(.worker(3))
                stack.check(end == .exited(78), "a worker with the old password ended with \(end)")
                stack.forgiveErrors(containing: "not ready within 1.0 seconds")
            }
        } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    @Test("a Redis password that is changed, and every connection ended: live events come on the new ones")
    func redisPassword() async throws {
        let redis = try PrivateRedis()
        defer { redis.stop() }
        let folder = try StackFolder.make("secrets-\(UInt64.random(in: .min ... .max))")
        defer { StackFolder.remove(folder) }
        let file = "\(folder)/redis"
        try StackFolder.write(redis.url, to: file)
        let environment = ["ARAGORA_REDIS_URL": "", "ARAGORA_REDIS_URL_FILE": file]
        let plan = Stack.Plan(environment: environment, redisURL: redis.url, latencyMilliseconds: 100)
        try await Stack.with("reload-redis", plan) { stack in
            try await redis.ready(stack)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(4, of: debate)
            try await stack.withRedis { connection in
                try StackFolder.write(redis.url.replacing("redis://", with: "redis://:second@"), to: file)
                try await stack.hangUp(.api(1), .gateway(1), .worker(1))
                _ = try await connection.send(RedisCommand("CONFIG", "SET", "requirepass", "second"))
                _ = try await connection.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
                _ = try await connection.send(RedisCommand("CLIENT", "KILL", "TYPE", "pubsub"))
                try await stack.eventually("every process is connected again") {
                    let list = try await connection.send(RedisCommand("CLIENT", "LIST")).text ?? ""
                    return ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker"].allSatisfy {
                        list.contains("name=\($0) ")
                    }
                }
                _ = try await connection.send(RedisCommand("CONFIG", "SET", "requirepass", ""))
            }
            try await stack.audit(debate, viewers: viewers)
            for viewer in viewers { stack.check(viewer.tokens > 0, "\(viewer.name) saw no live text") }
        }
    }
}

extension Stack {
    /// Sends SIGHUP and waits until each has read its settings again.
    func hangUp(_ members: Member...) async throws {
        for member in members {
            let log = "\(folder)/\(member).log"
            let before = Self.reloads(in: log)
            try process(member).send(SIGHUP)
            try await eventually("\(member) has reloaded") { Self.reloads(in: log) > before }
        }
    }

    /// When a process says that its settings were read.
    func loadedAt(_ member: Member) async throws -> Double {
        let text = try await http.send(
            HTTPClientRequest(url: "http://127.0.0.1:\(ports(of: member).metrics)/metrics"))
        let lines = String(decoding: text.body, as: UTF8.self).split(separator: "\n")
        let value = lines.last { $0.hasPrefix("aragora_config_last_reload_timestamp") }?.split(separator: " ").last
        return value.flatMap { Double($0) } ?? 0
    }

    private static func reloads(in log: String) -> Int {
        StackFolder.read(log).split(separator: "\n").count { $0.contains(#""message":"settings reloaded""#) }
    }

    /// What each token gets, at the api and at the gateway.
    func expect(_ answers: [String: Int]) async throws {
        for (token, wanted) in answers {
            let found = try await http.send(
                HTTPClientRequest(
                    url: "http://127.0.0.1:\(ports(of: .api(1)).main)/api/v1/debates",
                    headers: ["Authorization": "Bearer \(token)"]))
            check(found.status == wanted, "the api answers \(found.status) to \(token), not \(wanted)")
            let isIn = await isAdmitted(token)
            check(isIn == (wanted == 200), "the gateway \(isIn ? "admits" : "refuses") \(token)")
        }
    }

    private func isAdmitted(_ token: String) async -> Bool {
        guard let address = SocketAddress(ip: "127.0.0.1", port: ports(of: .gateway(1)).main),
            let client = try? await WebSocketClient.connect(
                loop: loop, to: [address], host: "127.0.0.1", target: "/ws?token=\(token)", timeout: .seconds(5))
        else { return false }
        await client.abort()
        return true
    }

    /// Ends every session of the database but this test's own.
    func endOtherSessions() async throws {
        _ = try await pool.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = \(database.name) AND application_name <> 'e2e-test'
            """)
    }
}
