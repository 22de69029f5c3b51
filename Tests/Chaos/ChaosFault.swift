import FaultSupport

/// One thing that goes wrong, as planned.
struct ChaosFault: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        // To one process.
        case kill, freeze, drain, hurry
        case cutPostgres = "cut-postgres", cutRedis = "cut-redis", loseAnswers = "lose-answers"
        case partitionPostgres = "partition-postgres", partitionRedis = "partition-redis"
        case jumpClock = "jump-clock"
        // To Postgres.
        case restartPostgres = "restart-postgres", crashPostgres = "crash-postgres", killBackend = "kill-backend"
        case freezePostgres = "freeze-postgres", endSessions = "end-sessions", fillPostgres = "fill-postgres"
        // To Redis.
        case killRedis = "kill-redis", forgetRedis = "forget-redis", flushRedis = "flush-redis"
        case freezeRedis = "freeze-redis", fillRedis = "fill-redis"
        // To the providers.
        case brownOut = "brown-out"

        var about: String {
            switch self {
            case .kill: "SIGKILL of a process, which is started again soon"
            case .freeze: "SIGSTOP of a process, SIGCONT later"
            case .drain: "SIGTERM of a process, alone or in a rolling restart of all; a new one follows"
            case .hurry: "two SIGTERMs"
            case .cutPostgres: "every connection of a process to Postgres is reset"
            case .cutRedis: "every connection of a process to Redis is reset"
            case .loseAnswers:
                "the next answer on every connection of a process to Postgres is lost, with the connection"
            case .partitionPostgres: "what a process and Postgres send each other is held back for a while"
            case .partitionRedis: "what a process and Redis send each other is held back for a while"
            case .jumpClock: "a process's wall clock jumps, and back later"
            case .restartPostgres: "Postgres is stopped in mode fast, and started"
            case .crashPostgres: "Postgres is stopped in mode immediate, and replays its log"
            case .killBackend: "SIGKILL of one child of Postgres, which then starts all anew"
            case .freezePostgres: "SIGSTOP of Postgres and its children, SIGCONT later"
            case .endSessions: "pg_terminate_backend of every session"
            case .fillPostgres: "no byte is left on the disk of Postgres for a while"
            case .killRedis: "SIGKILL of Redis, which is started again with its append-only file"
            case .forgetRedis: "the same, without that file"
            case .flushRedis: "FLUSHALL"
            case .freezeRedis: "SIGSTOP of Redis, SIGCONT later"
            case .fillRedis: "no byte is left on the disk of Redis for a while"
            case .brownOut: "providers are slow, refuse, and break off answers"
            }
        }

        /// How often it is drawn, among the others.
        var weight: Int {
            switch self {
            case .kill: 240
            case .freeze: 150
            case .drain: 90
            case .cutPostgres, .loseAnswers: 60
            case .cutRedis, .partitionPostgres: 55
            case .partitionRedis, .jumpClock: 40
            case .flushRedis, .endSessions: 30
            case .brownOut, .killRedis: 25
            case .hurry, .forgetRedis, .freezePostgres, .freezeRedis: 15
            case .restartPostgres, .crashPostgres, .killBackend: 14
            case .fillPostgres, .fillRedis: 10
            }
        }

        /// Whose faults come one after another.
        enum Target: Sendable { case process, postgres, redis, providers }

        var target: Target {
            switch self {
            case .kill, .freeze, .drain, .hurry, .cutPostgres, .cutRedis, .loseAnswers, .partitionPostgres,
                .partitionRedis, .jumpClock:
                .process
            case .restartPostgres, .crashPostgres, .killBackend, .freezePostgres, .endSessions, .fillPostgres: .postgres
            case .killRedis, .forgetRedis, .flushRedis, .freezeRedis, .fillRedis: .redis
            case .brownOut: .providers
            }
        }
    }

    let number: Int
    /// Milliseconds after the first client came.
    let at: Int
    let kind: Kind
    /// Whom it strikes; nil for a store and the providers.
    let member: Stack.Member?
    /// Milliseconds until it is over: until the frozen goes on, or a new process follows the killed one.
    let lasts: Int
    /// A number for what else must be drawn: by how many seconds a clock jumps, which child dies.
    let draw: Int
    var isRolling = false
    /// It strikes while a backup is being made.
    var interruptsBackup = false

    var description: String {
        "\(number) at \(at) ms: \(kind.rawValue)\(member.map { " \($0)" } ?? ""), \(lasts) ms, \(draw)"
            + (isRolling ? ", rolling" : "")
    }
}
