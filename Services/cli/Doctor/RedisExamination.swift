import Contracts
import Platform
import RedisClient

/// Looks at Redis: reachable, and set up so that it may be relied on.
struct RedisExamination: Sendable {
    typealias Check = CommandReports.Check

    static let connectTimeout = Duration.seconds(2)
    /// How every message about a server begins.
    private static let prefix = "Redis:"
    private static let settings = ["maxmemory-policy", "appendonly", "appendfsync"]
    /// Of `maxmemory`: a write is refused when what is stored and what is being sent are more than all of it.
    static let fullPercent = 95

    struct Result: Sendable {
        var checks: [Check] = []
        /// Nil when it can not be reached.
        var connection: RedisConnection?
        var isBroken: Bool { checks.contains { $0.status == .failed } }
    }

    let configuration: RedisConfiguration
    let context: CommandContext

    init(_ configuration: RedisConfiguration, _ context: CommandContext) {
        var configuration = configuration
        configuration.clientName = "aragora-doctor"
        self.configuration = configuration
        self.context = context
    }

    /// Whether it can be reached at all.
    func connect() async -> Result {
        let (changes, changed) = AsyncStream.makeStream(of: RedisConnection.State.self)
        let connection = RedisConnection(loop: context.loop, configuration: configuration, log: context.log) { state in
            changed.yield(state)
        }
        await connection.start()
        // The connection would try again and again; the first answer is the one to tell.
        _ = await answer(within: Self.connectTimeout, on: context.loop) {
            for await state in changes where state != .idle { return state }
            return .closed
        }
        do throws(RedisError) {
            try await connection.send(RedisCommand("PING"))
        } catch  where error.code != .refused {
            await connection.close()
            return Result(checks: [Self.check(of: error)])
        } catch {
            // An ACL that forbids PING, of all commands, lets us in all the same.
        }
        let text = try? await connection.send(RedisCommand("INFO")).text
        let version = Self.parse(info: text ?? "")["redis_version"].map { " (version \($0))" } ?? ""
        return Result(checks: [Check("redis", .passed, "Redis: connected\(version)")], connection: connection)
    }

    /// Everything but its keys.
    func examine() async -> Result {
        var result = await connect()
        guard let connection = result.connection else { return result }
        let commands = [RedisCommand("INFO")] + Self.settings.map { RedisCommand("CONFIG", "GET", $0) }
        let answers = (try? await connection.sendToEach(commands)) ?? []
        guard !answers.isEmpty else {
            result.checks += Self.checks(info: [:], settings: nil)
            return result
        }
        result.checks += Self.merged(
            answers.map { node, replies in
                let info = Self.parse(info: replies[0].text ?? "")
                return ("\(node)", Self.checks(info: info, settings: Self.settings(replies)))
            })
        return result
    }

    // MARK: Judging, without a connection

    /// What CONFIG says of the settings that matter, behind the reply to INFO; nil when it is refused.
    private static func settings(_ replies: [RedisReply]) -> [String: String]? {
        var found: [String: String] = [:]
        for (name, reply) in zip(settings, replies.dropFirst()) { found[name] = reply.array?.last?.text }
        return found.isEmpty ? nil : found
    }

    /// The checks of several servers as one list: what is right with all of them is told once, what is wrong with one is
    /// told of that one.
    static func merged(_ servers: [(name: String, checks: [Check])]) -> [Check] {
        guard servers.count > 1 else { return servers.first?.checks ?? [] }
        let wrong = servers.flatMap { server in
            server.checks.filter { $0.status != .passed }.map { check in
                let words = check.message.dropFirst(prefix.count)
                return Check(
                    check.name, check.status, "Redis at \(server.name):\(words)", code: check.code, fix: check.fix)
            }
        }
        let right = servers[0].checks.filter { check in
            servers.allSatisfy { $0.checks.contains { $0.name == check.name && $0.status == .passed } }
        }
        return right + wrong
    }

    /// `name:value` lines; the numbers of all databases' expiring keys added up under `expires`.
    static func parse(info: String) -> [String: String] {
        var values: [String: String] = [:]
        var expires = 0
        for line in info.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[String(parts[0])] = String(parts[1])
            guard parts[0].hasPrefix("db") else { continue }
            for item in parts[1].split(separator: ",") where item.hasPrefix("expires=") {
                expires += Int(item.dropFirst("expires=".count)) ?? 0
            }
        }
        values["expires"] = String(expires)
        return values
    }

    static func checks(info: [String: String], settings: [String: String]?) -> [Check] {
        var checks: [Check] = []
        var unknown: [String] = settings == nil ? ["appendfsync"] : []
        if info["role"] == "slave" { checks.append(.fault(.redisReplica, "redis_role", "Redis: it is a replica")) }
        let policy = settings?["maxmemory-policy"] ?? info["maxmemory_policy"]
        switch policy {
        case nil: unknown.append("maxmemory-policy")
        case let policy? where policy.hasPrefix("allkeys"):
            checks.append(.fault(.redisEviction, "redis_policy", "Redis: maxmemory-policy is \(policy)"))
        case let policy?: checks.append(Check("redis_policy", .passed, "Redis: maxmemory-policy is \(policy)"))
        }
        let hasAppendOnly = settings?["appendonly"].map { $0 == "yes" } ?? info["aof_enabled"].map { $0 == "1" }
        switch hasAppendOnly {
        case nil: unknown.append("appendonly")
        case false?: checks.append(.fault(.redisNoAppendOnly, "redis_aof", "Redis: appendonly is no"))
        case true?: checks.append(Check("redis_aof", .passed, "Redis: keeps an append-only file"))
        }
        checks.append(contentsOf: memory(info, policy: policy ?? "", &unknown))
        if settings == nil {
            let words = "Redis: CONFIG is refused; not checked: \(unknown.joined(separator: ", "))"
            checks.append(.fault(.redisConfigRefused, "redis_config", words))
        }
        return checks
    }

    /// Redis refuses writes above `maxmemory` when it finds nothing that it may evict.
    private static func memory(_ info: [String: String], policy: String, _ unknown: inout [String]) -> [Check] {
        guard let used = info["used_memory"].flatMap(Int.init), let limit = info["maxmemory"].flatMap(Int.init) else {
            unknown.append("memory")
            return []
        }
        let counted = used - (info["mem_not_counted_for_evict"].flatMap(Int.init) ?? 0)
        let mayEvict = policy.hasPrefix("allkeys") || (policy.hasPrefix("volatile") && info["expires"] != "0")
        let words = "Redis: \(counted / 1_048_576) of \(limit / 1_048_576) MB in use"
        guard limit > 0 else { return [Check("redis_memory", .passed, "Redis: no limit of memory")] }
        guard counted >= limit / 100 * fullPercent && !mayEvict else { return [Check("redis_memory", .passed, words)] }
        return [.fault(.redisMemory, "redis_memory", "\(words), and nothing may be evicted")]
    }

    static func check(of error: RedisError) -> Check {
        let message = "Redis: \(error.message)"
        let isRefused = error.message.hasPrefix("AUTH") || ["NOAUTH", "WRONGPASS"].contains(error.serverCode)
        return .fault(isRefused ? .redisPassword : .redisUnreachable, "redis", message)
    }
}
