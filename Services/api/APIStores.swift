import Contracts
import DebateRunner
import Domain
import Messaging
import Platform
import PostgresClient
import RedisClient
import ServiceKit
import Sockets
import Storage

/// The stores that handlers use, on one loop.
struct APIStores: Sendable {
    let loop: EventLoop
    let debates: DebateStore
    let events: PostgresEventLog
    let eventRetention: EventRetentionStore
    let receipts: ReceiptReader
    let receiptLog: ReceiptLogReader
    let receiptShares: ReceiptShareStore
    let receiptRetention: ReceiptRetentionStore
    let takeover: Takeover
    let commands: CommandStore
    let queue: QueueReader
    let counts: InstallationCounter
    let ratings: RatingStore
    let knowledge: KnowledgeStore
    let budgets: BudgetStore
    let batches: BatchStore
    let shares: ShareStore
    let statistics: StatisticsReader
    let erasure: ErasureStore
    let backups: BackupStore
    private let redis: RedisConnection
    private let keyspace: KeyspaceSource
    private let log: Log

    init(_ backends: LoopBackends, keyspace: KeyspaceSource, log: Log) {
        loop = backends.loop
        debates = DebateStore(pool: backends.postgres)
        events = PostgresEventLog(pool: backends.postgres)
        eventRetention = EventRetentionStore(pool: backends.postgres)
        receipts = ReceiptReader(pool: backends.postgres)
        receiptLog = ReceiptLogReader(pool: backends.postgres)
        receiptShares = ReceiptShareStore(pool: backends.postgres)
        receiptRetention = ReceiptRetentionStore(pool: backends.postgres)
        takeover = Takeover(pool: backends.postgres)
        commands = CommandStore(pool: backends.postgres)
        queue = QueueReader(pool: backends.postgres)
        counts = InstallationCounter(pool: backends.postgres)
        ratings = RatingStore(pool: backends.postgres)
        knowledge = KnowledgeStore(pool: backends.postgres)
        budgets = BudgetStore(pool: backends.postgres)
        batches = BatchStore(pool: backends.postgres)
        shares = ShareStore(pool: backends.postgres)
        statistics = StatisticsReader(pool: backends.postgres)
        erasure = ErasureStore(pool: backends.postgres)
        backups = BackupStore(pool: backends.postgres)
        redis = backends.redis
        self.keyspace = keyspace
        self.log = log
    }

    /// Rings the workers' bell. The row is the truth: when Redis is away a sweep finds it.
    func ring(_ debate: DebateID, trace: String) async {
        guard let keyspace = keyspace.current else { return }
        do {
            try await Doorbell(connection: redis, keyspace: keyspace).ring(debate, trace: trace)
        } catch {
            log.warning("doorbell not rung", .debateID(debate.text), .error(error))
        }
    }

    /// The same for many.
    func ring(all debates: [DebateID]) async {
        guard let keyspace = keyspace.current else { return }
        do {
            try await Doorbell(connection: redis, keyspace: keyspace).ring(all: debates)
        } catch {
            log.warning("doorbell not rung", .error(error))
        }
    }

    /// Takes away the copies of a debate whose content is erased; without Redis none follows the log but in Postgres.
    func eraseCopies(of debate: DebateID) async {
        guard let keyspace = keyspace.current else { return }
        do {
            try await EventStream(connection: redis, keyspace: keyspace).erase(debate)
        } catch {
            log.warning("copy not deleted", .debateID(debate.text), .error(error))
        }
    }

    /// The newest debates that were given up; nil when Redis is away.
    func dead(limit: Int) async -> [DeadJob]? {
        guard let keyspace = keyspace.current else { return nil }
        return try? await Doorbell(connection: redis, keyspace: keyspace).dead(limit: limit)
    }

    /// Takes a dead job out; false when somebody else did.
    func takeDead(_ job: DeadJob) async -> Bool {
        guard let keyspace = keyspace.current else { return false }
        return (try? await Doorbell(connection: redis, keyspace: keyspace).remove(job)) ?? false
    }

    /// Puts one back.
    func bury(_ job: DeadJob) async {
        guard let keyspace = keyspace.current, let debate = DebateID(job.id) else { return }
        try? await Doorbell(connection: redis, keyspace: keyspace).bury(debate, reason: job.reason)
    }

    /// Tells the debate's runner at once what it would learn at its next step.
    func hint(_ hint: ControlHint) async {
        guard let keyspace = keyspace.current else { return }
        do {
            try await ControlChannel(connection: redis, keyspace: keyspace).send(hint)
        } catch {
            log.warning("control hint not sent", .error(error))
        }
    }

    /// Puts events that this process appended where viewers are; without it they come with the gateways' next poll.
    func publish(_ sealed: [SealedEvent], of debate: DebateID) async {
        guard let keyspace = keyspace.current else { return }
        let entries = sealed.map { PublishedEntry($0, of: debate) }
        do {
            _ = try await EventStream(connection: redis, keyspace: keyspace).publish(debate, entries)
        } catch {
            log.warning("events not published", .debateID(debate.text), .error(error))
        }
    }

    /// Debates given up, as the dead-letter stream counts them; nil when Redis is away.
    func deadLetters() async -> Int? {
        guard let keyspace = keyspace.current else { return nil }
        return try? await Doorbell(connection: redis, keyspace: keyspace).deadCount()
    }
}
