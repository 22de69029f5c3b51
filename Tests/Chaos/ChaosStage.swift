import FaultSupport
import Glibc
import Platform
import RedisClient
import Sockets
import TestSupport

/// Everything that runs: the stack, its own stores and providers, and a breakable network between each process and its stores.
final class ChaosStage: Sendable {
    /// A network of one process.
    struct Network: Sendable {
        let postgres: PartitionRelay
        let redis: PartitionRelay
    }

    /// A fault that was done. Times are microseconds since 1970, as Postgres's clock has them.
    struct Blow: Sendable {
        let fault: ChaosFault
        let began: Int64
        let ended: Int64
    }

    /// A process that ended although nobody had told it to.
    struct Death: Sendable {
        let member: Stack.Member
        let at: Int64
        let end: ServiceProcess.End
    }

    private struct State {
        var blows: [Blow] = []
        var begun: [Int: Int64] = [:]
        var deaths: [Death] = []
        var lateDrains: [String] = []
        var problems: [String] = []
        var isOver = false
        var clientsAreDone = false
        var starts: [Stack.Member: Int] = [:]
    }

    static let diskMegabytes = (postgres: 1200, redis: 48)
    private static let shim = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    static let brownOut = """
        {"seed":7,"latency":{"kind":"uniform","min_ms":300,"max_ms":1200},"answer_words":40,"rules":[
         {"probability":0.25,"fault":{"kind":"status","status":529}},{"probability":0.1,"fault":{"kind":"status","status":500}},
         {"probability":0.1,"fault":{"kind":"cut"}},{"probability":0.05,"fault":{"kind":"error_event"}},
         {"probability":0.05,"fault":{"kind":"bad_chunk"}}]}
        """

    /// Kinds that this machine does not allow, and why.
    static func impossible() async -> [ChaosFault.Kind: String] {
        var kinds: [ChaosFault.Kind: String] = [:]
        if await !SmallDisk.isPossible() {
            kinds[.fillPostgres] = "a disk of its own takes root"
            kinds[.fillRedis] = "a disk of its own takes root"
        }
        if access(shim, R_OK) != 0 { kinds[.jumpClock] = "no libfaketime" }
        return kinds
    }

    let stack: Stack
    let postgres: PrivatePostgres
    let redis: PrivateRedis
    let providers: SimulatedProviders
    let scale: ChaosScale
    /// Where clients of a balancer go; nil when nobody asks for that.
    let endpoints: Endpoints?
    /// For viewers that are many, who stop after this is closed: these live as long as the process.
    let viewerLoops: [EventLoop]
    private let plan: ChaosPlan
    private let networks: [Stack.Member: Network]
    /// What apis pass viewers on to: one of the gateways that are listed. Nil without a balancer.
    private let tunnels: PartitionRelay?
    private let travels: Bool
    private let interruption: Interruption
    private let state = Lock(State())

    init(
        stack: Stack, plan: ChaosPlan, postgres: PrivatePostgres, redis: PrivateRedis, providers: SimulatedProviders,
        without: Set<ChaosFault.Kind>, scale: ChaosScale, interruption: Interruption
    ) throws {
        self.scale = scale
        self.plan = plan
        let endpoints = scale.lateSeconds > 0 ? Endpoints(stack) : nil
        self.endpoints = endpoints
        let gateways = ChaosPlan.gateways.map { Stack.Member.gateway($0) }
        tunnels = try endpoints.map { endpoints in
            try PartitionRelay { endpoints.pick(gateways, 0).map { stack.ports(of: $0.member).main } }
        }
        viewerLoops = try EventLoop.group(count: 3, name: "viewers")
        self.interruption = interruption
        self.stack = stack
        self.postgres = postgres
        self.redis = redis
        self.providers = providers
        travels = !without.contains(.jumpClock)
        var networks: [Stack.Member: Network] = [:]
        for member in plan.members {
            networks[member] = Network(
                postgres: try PartitionRelay(upstream: postgres.port),
                redis: try PartitionRelay(upstream: redis.serverPort))
        }
        self.networks = networks
        for member in ChaosPlan.timeTravellers { try StackFolder.write("+0\n", to: clock(of: member)) }
    }

    func network(of member: Stack.Member) throws -> Network {
        guard let network = networks[member] else { throw Stack.Late(description: "\(member) has no network") }
        return network
    }

    func clock(of member: Stack.Member) -> String { "\(stack.folder)/\(member).clock" }

    /// Where the present backup service leaves what it makes; another folder for each, so that it begins at once.
    var backups: String { "\(stack.folder)/backups-\(state.withLock { $0.starts[.backup] ?? 0 })" }

    /// Starts a process, as a supervisor does, without waiting for it.
    func spawn(_ member: Stack.Member) throws {
        state.withLock { $0.starts[member, default: 0] += 1 }
        let network = try network(of: member)
        var variables = [
            // The witness in the database knows writers by this name.
            "ARAGORA_POSTGRES_DSN": try stack.database.dsn(through: network.postgres.port)
                + "?application_name=\(member)",
            "ARAGORA_REDIS_URL": "redis://127.0.0.1:\(network.redis.port)/0",
        ]
        switch member {
        case .api: if let tunnels { variables["ARAGORA_WS_UPSTREAM"] = "127.0.0.1:\(tunnels.port)" }
        case .backup:
            variables["ARAGORA_BACKUP_DIR"] = backups
            // Nobody lists it.
            variables["ARAGORA_DRAIN_DELAY_SECONDS"] = "0"
        default: break
        }
        if travels, ChaosPlan.timeTravellers.contains(member) {
            variables["LD_PRELOAD"] = Self.shim
            variables["FAKETIME_TIMESTAMP_FILE"] = clock(of: member)
            variables["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
            variables["FAKETIME_CACHE_DURATION"] = "1"
            variables["NO_FAKE_STAT"] = "1"
        }
        try stack.spawn(member, variables)
    }

    /// What a killed process under libfaketime leaves behind would stop the next one that gets its number.
    func sweep(after pid: pid_t) {
        unlink("/dev/shm/faketime_shm_\(pid)")
        unlink("/dev/shm/sem.faketime_sem_\(pid)")
    }

    // MARK: What happened

    func begin(_ fault: ChaosFault) { state.withLock { $0.begun[fault.number] = Self.now() } }

    func end(_ fault: ChaosFault) {
        state.withLock { state in
            let now = Self.now()
            state.blows.append(Blow(fault: fault, began: state.begun[fault.number] ?? now, ended: now))
        }
    }

    func died(_ member: Stack.Member, _ end: ServiceProcess.End) {
        state.withLock { $0.deaths.append(Death(member: member, at: Self.now(), end: end)) }
    }

    func drainedLate(_ text: String) { state.withLock { $0.lateDrains.append(text) } }
    func note(_ problem: String) { state.withLock { $0.problems.append(problem) } }
    func finish() { state.withLock { $0.isOver = true } }

    func clientsDone() { state.withLock { $0.clientsAreDone = true } }
    var clientsAreDone: Bool { state.withLock { $0.clientsAreDone } }
    /// Whether nobody shall go on: all is done, or somebody wants it to end.
    var isOver: Bool { interruption.isWanted || state.withLock { $0.isOver } }
    var blows: [Blow] { state.withLock { $0.blows.sorted { $0.began < $1.began } } }
    var deaths: [Death] { state.withLock { $0.deaths } }
    var lateDrains: [String] { state.withLock { $0.lateDrains } }
    var problems: [String] { state.withLock { $0.problems } }
    var starts: Int { state.withLock { $0.starts.values.reduce(0, +) } }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    func close() {
        for member in ChaosPlan.timeTravellers {
            if let process = try? stack.process(member) { sweep(after: process.pid) }
        }
        tunnels?.close()
        for network in networks.values {
            network.postgres.close()
            network.redis.close()
        }
    }
}
