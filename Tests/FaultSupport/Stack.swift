import Contracts
package import Domain
import Glibc
package import HTTPClient
import Platform
package import PostgresClient
package import RedisClient
package import Sockets
import Storage
package import TestSupport

/// The product as it is deployed, for one test: real processes over a database and a Redis prefix of their own.
///
/// What is found wrong is noted rather than thrown, so that everything wrong is reported at once, with the logs.
package final class Stack: Sendable {
    /// One process of the stack.
    package enum Member: Hashable, Sendable, CustomStringConvertible {
        case api(Int), gateway(Int), worker(Int), backup

        package var product: String {
            switch self {
            case .api: "aragora-api"
            case .gateway: "aragora-ws-gateway"
            case .worker: "aragora-debate-worker"
            case .backup: "aragora-backup"
            }
        }

        package var description: String {
            switch self {
            case .api(let number): "api-\(number)"
            case .gateway(let number): "gateway-\(number)"
            case .worker(let number): "worker-\(number)"
            case .backup: "backup"
            }
        }
    }

    /// What a test wants otherwise than usual.
    package struct Plan: Sendable {
        /// Given to every process; the latency makes a debate long enough to be hurt.
        package var environment: [String: String]
        /// The Postgres to make the database in.
        package var postgresURL: String?
        /// Nil runs the stack without Redis.
        package var redisURL: String?
        /// What stands behind that URL; the environment says the same.
        package var redisTopology = RedisTopology.standalone
        package var latencyMilliseconds: Int

        package init(
            environment: [String: String] = [:], postgresURL: String? = Backends.postgresURL,
            redisURL: String? = Backends.redisURL, latencyMilliseconds: Int = 40
        ) {
            self.environment = environment
            self.postgresURL = postgresURL
            self.redisURL = redisURL
            self.latencyMilliseconds = latencyMilliseconds
        }
    }

    package struct Ports: Sendable {
        package let main = StackPorts.take()
        package let metrics = StackPorts.take()
    }

    /// Something did not come within the time given, or can not come any more.
    package struct Late: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    private struct State {
        var processes: [Member: ServiceProcess] = [:]
        var ports: [Member: Ports] = [:]
        var problems: [String] = []
        var viewers: [Viewer] = []
        var forgiven: [String] = []
    }

    package static let token = "token-of-the-stack-under-test"
    package static let signingKey = String(repeating: "5ec2e7", count: 10) + "0000"
    /// How long anything may take before a test gives up: long, because many stacks share the machine.
    package static let patience: Duration = .seconds(45)
    private static let poll: Duration = .milliseconds(20)

    package let name: String
    package let plan: Plan
    package let loop: EventLoop
    package let http: HTTPClient
    package let database: StackDatabase
    package let pool: PGPool
    package let redisPrefix: String
    package let folder: String
    private let state = Lock(State())

    private init(name: String, plan: Plan, loop: EventLoop, database: StackDatabase, folder: String) {
        self.name = name
        self.plan = plan
        self.loop = loop
        self.database = database
        self.folder = folder
        http = HTTPClient(loop: loop)
        redisPrefix = "e2e:\(database.name)"
        var configuration = PGConfiguration(dsn: database.dsn, poolSize: 3)
        configuration.applicationName = "e2e-test"
        pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
    }

    // MARK: Life

    /// What a run of a stack left behind.
    package struct Outcome: Sendable {
        /// What was not as it must be.
        package let problems: [String]
        /// What each process said of itself.
        package let logs: [(file: String, text: String)]
    }

    /// Lends a stack without processes; ends and removes everything afterwards, whatever happened.
    ///
    /// - Parameter report: hears what was found before the folder with the logs is removed.
    package static func lend(
        _ name: String, _ plan: Plan = Plan(), _ body: (Stack) async throws -> Void, report: (Outcome) -> Void
    ) async throws {
        guard let postgres = plan.postgresURL else { throw Late(description: "TEST_DATABASE_URL is not set") }
        let id = "e2e_" + String(UInt64.random(in: .min ... .max), radix: 36)
        let folder = try StackFolder.make(id)
        let loop = try EventLoop(name: "stack")
        defer { loop.stop() }
        let database = try await StackDatabase.create(name: id, in: postgres, on: loop)
        let stack = Stack(name: name, plan: plan, loop: loop, database: database, folder: folder)
        await stack.pool.start()
        do { try await body(stack) } catch { stack.note("\(error)") }
        let problems = stack.state.withLock { $0.problems }
        await stack.end()
        report(Outcome(problems: problems, logs: problems.isEmpty ? [] : StackFolder.logs(in: folder)))
        StackFolder.remove(folder)
    }

    private func end() async {
        for viewer in state.withLock({ $0.viewers }) { await viewer.stop() }
        let processes = state.withLock { $0.processes.values.map { $0 } }
        for process in processes { process.send(SIGKILL) }
        for process in processes { _ = try? await process.waitForEnd() }
        await http.close()
        await pool.close()
        try? await database.drop(on: loop)
        try? await withRedis { try await TestRedis.deleteAll($0, redisPrefix) }
    }

    /// What no process may ever say of itself, whatever is done to it.
    package func auditLogs() {
        for (file, text) in StackFolder.logs(in: folder) {
            let lines = text.split(separator: "\n")
            let forgiven = state.withLock { $0.forgiven }
            let bad = lines.filter { line in
                !forgiven.contains { line.contains($0) }
                    && (line.contains(#""level":"error""#) || line.contains("cache was ahead of the log")
                        || line.contains("cache differed from the log") || line.contains("Fatal error"))
            }
            if let first = bad.first { note("\(file) has \(bad.count) alarms, the first: \(first)") }
        }
    }

    /// Lets processes say this of themselves as an error: the test made it so.
    package func forgiveErrors(containing text: String) { state.withLock { $0.forgiven.append(text) } }

    /// Notes that something is not as it must be.
    package func note(_ problem: String) { state.withLock { $0.problems.append(problem) } }

    /// Notes `problem` unless the condition holds.
    package func check(_ condition: Bool, _ problem: @autoclosure () -> String) { if !condition { note(problem()) } }

    /// Runs what must find a problem, and takes back what it noted if it found that one.
    package func expectProblem(saying text: String, _ body: () async throws -> Void) async throws {
        let before = state.withLock { $0.problems.count }
        do { try await body() } catch { note("\(error)") }
        state.withLock { state in
            let found = state.problems[before...]
            if found.contains(where: { $0.contains(text) }) {
                state.problems.removeSubrange(before...)
            } else {
                state.problems.append("expected to hear \"\(text)\"")
            }
        }
    }

    /// What `body` noted, which is thereby taken back.
    package func collect(_ body: () async throws -> Void) async -> [String] {
        let before = state.withLock { $0.problems.count }
        do { try await body() } catch { note("\(error)") }
        return state.withLock { state in
            let found = Array(state.problems[before...])
            state.problems.removeSubrange(before...)
            return found
        }
    }

    // MARK: Processes

    /// Starts processes and returns when each is ready.
    package func start(_ members: Member..., with environment: [String: String] = [:]) async throws {
        try await start(members, with: environment)
    }

    /// - Parameter wrapper: a program that runs the one that `WRAPPED` names, in its own place.
    package func start(
        _ members: [Member], with environment: [String: String] = [:], wrapper: String? = nil
    ) async throws {
        for member in members { try spawn(member, environment, wrapper: wrapper) }
        for member in members { try await ready(member) }
    }

    /// Starts a process without waiting for it.
    package func spawn(_ member: Member, _ environment: [String: String] = [:], wrapper: String? = nil) throws {
        let ports = ports(of: member)
        var variables = common().merging(plan.environment) { $1 }
        variables["ARAGORA_METRICS_PORT"] = String(ports.metrics)
        switch member {
        case .api:
            variables["ARAGORA_PORT"] = String(ports.main)
            variables["ARAGORA_WS_UPSTREAM"] = "127.0.0.1:\(self.ports(of: .gateway(1)).main)"
        case .gateway: variables["ARAGORA_WS_PORT"] = String(ports.main)
        case .backup: variables["ARAGORA_BACKUP_DIR"] = folder
        case .worker: break
        }
        variables.merge(environment) { $1 }
        let binary = "\(StackFolder.binaries)/\(member.product)"
        if wrapper != nil {
            variables["WRAPPED"] = binary
            variables["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
        }
        let process = try ServiceProcess(
            name: "\(member)", binary: wrapper ?? binary, environment: variables,
            logPath: "\(folder)/\(member).log")
        state.withLock { $0.processes[member] = process }
    }

    private func common() -> [String: String] {
        var variables = [
            "ARAGORA_POSTGRES_DSN": database.dsn, "ARAGORA_BIND_ADDRESS": "127.0.0.1", "ARAGORA_API_TOKEN": Self.token,
            "ARAGORA_RECEIPT_SIGNING_KEY": Self.signingKey, "ARAGORA_RATE_LIMIT": "0", "ARAGORA_EVENT_LOOPS": "1",
            "ARAGORA_DB_POOL_SIZE": "6", "ARAGORA_LOG_LEVEL": "debug", "ARAGORA_EMBEDDED_RUNNER": "off",
            "ARAGORA_DEMO_LATENCY_MS": String(plan.latencyMilliseconds), "WORKER_LEASE_SECONDS": "3",
        ]
        if let url = plan.redisURL {
            variables["ARAGORA_REDIS_URL"] = url
            variables["ARAGORA_REDIS_PREFIX"] = redisPrefix
        }
        return variables
    }

    package func ports(of member: Member) -> Ports {
        state.withLock { state in
            if let known = state.ports[member] { return known }
            let new = Ports()
            state.ports[member] = new
            return new
        }
    }

    package func process(_ member: Member) throws -> ServiceProcess {
        guard let process = state.withLock({ $0.processes[member] }) else {
            throw Late(description: "\(member) was never started")
        }
        return process
    }

    /// Waits until a process says that it is ready.
    package func ready(_ member: Member) async throws {
        let process = try process(member)
        try await eventually("\(member) is ready") {
            guard process.isAlive else { throw Late(description: "\(member) ended before it was ready") }
            return try await self.probe(member, "/readyz") == 200
        }
    }

    /// The status of a GET on a process's metrics port; nil when nobody answers.
    package func probe(_ member: Member, _ path: String) async throws -> Int? {
        let url = "http://127.0.0.1:\(ports(of: member).metrics)\(path)"
        let limits = Deadlines(connect: .seconds(2), firstByte: .seconds(5), idle: .seconds(5), total: .seconds(5))
        return try? await http.send(HTTPClientRequest(url: url), deadlines: limits).status
    }

    /// Kills a process without a farewell.
    package func kill(_ member: Member) async throws {
        let process = try process(member)
        process.send(SIGKILL)
        try await process.waitForEnd()
    }

    /// Waits until a process has ended.
    package func ended(_ member: Member) async throws -> ServiceProcess.End {
        let process = try process(member)
        try await eventually("\(member) ends") { !process.isAlive }
        return try await process.waitForEnd()
    }

    /// Every process that was started and not killed still runs, and answers.
    package func checkAlive(_ members: Member...) async throws {
        for member in members {
            let process = try process(member)
            check(process.isAlive, "\(member) has died")
            let status = try await probe(member, "/healthz")
            check(status == 200, "\(member) /healthz answers \(status.map(String.init) ?? "nothing")")
        }
    }

    // MARK: Waiting

    /// Asks again and again until the answer is yes. The condition may throw ``Late`` to give up at once; other errors
    /// (a store that is away) count as no.
    package func eventually(
        _ what: String, within limit: Duration = Stack.patience, _ condition: () async throws -> Bool
    ) async throws {
        let began = BootInstant.now()
        while true {
            do {
                if try await condition() { return }
            } catch let late as Late {
                throw late
            } catch {}
            guard BootInstant.now().since(began) < limit else {
                throw Late(description: "not within \(limit): \(what)")
            }
            try await loop.sleep(for: Self.poll)
        }
    }

    // MARK: Parts

    /// Opens a viewer that stays until the stack ends.
    package func watch(_ debate: DebateID, through member: Member = .gateway(1)) -> Viewer {
        let viewer = Viewer(
            debate: debate, name: "viewer \(state.withLock { $0.viewers.count } + 1) through \(member)", loop: loop,
            ports: [ports(of: member).main], token: Self.token)
        state.withLock { $0.viewers.append(viewer) }
        viewer.start()
        return viewer
    }

    /// Opens a viewer that goes to another of these each time it has to connect.
    package func watch(
        _ debate: DebateID, throughAnyOf members: [Member], on other: EventLoop? = nil
    ) -> Viewer {
        let viewer = Viewer(
            debate: debate, name: "viewer \(state.withLock { $0.viewers.count } + 1) of \(debate)", loop: other ?? loop,
            ports: members.map { ports(of: $0).main }, token: Self.token)
        state.withLock { $0.viewers.append(viewer) }
        viewer.start()
        return viewer
    }

    /// Opens a viewer that asks each time where it shall connect to.
    package func watch(
        _ debate: DebateID, on other: EventLoop? = nil, through door: @escaping @Sendable (Int) -> Viewer.Door?
    ) -> Viewer {
        let viewer = Viewer(
            debate: debate, name: "viewer \(state.withLock { $0.viewers.count } + 1) of \(debate)", loop: other ?? loop,
            token: Self.token, door: door)
        state.withLock { $0.viewers.append(viewer) }
        viewer.start()
        return viewer
    }

    /// A viewer at the gateway, and one through the api's port.
    package func watchEverywhere(_ debate: DebateID) -> [Viewer] {
        [watch(debate), watch(debate, through: .api(1))]
    }

    /// Runs `body` with a connection to the Redis of this stack; does nothing without one.
    package func withRedis(_ body: (RedisConnection) async throws -> Void) async throws {
        guard let url = plan.redisURL else { return }
        var configuration = try RedisConfiguration(url: url)
        configuration.endpoint.topology = plan.redisTopology
        let connection = RedisConnection(loop: loop, configuration: configuration)
        try await connection.connect()
        do { try await body(connection) } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }
}
