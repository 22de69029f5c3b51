import Contracts
package import Crypto
import Domain
import Ledger
package import Platform
package import PostgresClient
import Storage

/// Lets the receipt log grow: takes receipts that are not in it, appends them in batches under contiguous numbers, and
/// signs a head at most every second (design §2.5).
///
/// Every runner has one; one of them at a time is elected in Postgres. Whoever is unsure whether something was committed is
/// elected anew, with a higher epoch, and goes on from what is stored: no number is left out or given twice.
package struct ReceiptSequencer: Sendable {
    /// Between two looks at the queue.
    package static let tick: Duration = .milliseconds(250)
    /// Between two heads.
    package static let headInterval: Duration = .seconds(1)
    /// How long a sequencer that died is waited for.
    package static let lease: Duration = .seconds(3)
    /// Between two renewals while nothing happens, and between two looks of those who wait to be elected.
    static let renewal: Duration = .seconds(1)
    /// Appends of one step; then heads and the lease have their turn.
    static let maxAppends = 8

    private let store: ReceiptSequencerStore
    private let keys: @Sendable () -> KeyRing?
    private let name: String
    private let log: Log
    private let metrics: Metrics
    private let newest = Lock<String?>(nil)

    package init(
        pool: PGPool, keys: @escaping @Sendable () -> KeyRing?, name: String, log: Log, metrics: Metrics
    ) {
        store = ReceiptSequencerStore(pool: pool)
        self.keys = keys
        self.name = name
        self.log = log
        self.metrics = metrics
        metrics.declare(.receiptsLogged, .receiptHeads)
    }

    /// The checksum of the newest leaf that this process knows of; nil when it knows of none. A second old at most.
    package var newestChecksum: String? { newest.withLock { $0 } }

    /// What a sequencer remembers between two steps.
    package struct Office: Sendable {
        fileprivate(set) var term: ReceiptLogTerm?
        fileprivate var renewedAt: BootInstant?
        fileprivate var headAt: BootInstant?
        package init() {}

        package var isElected: Bool { term != nil }
    }

    /// Does what is due now.
    /// - Returns: when to look again.
    package func step(_ office: inout Office) async -> Duration {
        do throws(StorageError) {
            if office.term == nil { try await elect(&office) }
            guard office.term != nil else { return Self.renewal }
            try await appendWaiting(&office)
            try await signIfDue(&office)
            return wait(office)
        } catch {
            log.warning("receipt log not reached", .error(error))
            if error.code == .broken { metrics.add(.alarms, ["receipt_log"]) }
            // What was sent may have happened: the next election finds out.
            office = Office()
            return Self.renewal
        }
    }

    /// Gives the office back.
    package func resign(_ office: Office) async {
        guard let term = office.term else { return }
        try? await store.resign(term)  // else it expires
    }

    private func elect(_ office: inout Office) async throws(StorageError) {
        switch try await store.elect(name, lease: Self.lease) {
        case .other(let checksum):
            newest.withLock { $0 = checksum }
        case .elected(let term):
            log.info("receipt log: elected", .epoch(term.epoch), .count(Int(term.frontier.size)))
            newest.withLock { $0 = term.newestChecksum }
            office.term = term
            office.renewedAt = BootInstant.now()
        }
    }

    private func appendWaiting(_ office: inout Office) async throws(StorageError) {
        for _ in 0..<Self.maxAppends {
            guard let term = office.term else { return }
            let leaves = try await store.waiting()
            let now = BootInstant.now()
            guard !leaves.isEmpty || isOver(Self.renewal, since: office.renewedAt, now) else { return }
            if !leaves.isEmpty { KillPoint.reach(.beforeLogAppend) }
            guard let next = try await store.append(leaves, to: term, lease: Self.lease) else {
                log.info("receipt log: another sequencer was elected", .epoch(term.epoch))
                office = Office()
                return
            }
            if !leaves.isEmpty { KillPoint.reach(.afterLogAppend) }
            metrics.add(.receiptsLogged, by: Double(leaves.count))
            newest.withLock { $0 = next.newestChecksum }
            (office.term, office.renewedAt) = (next, now)
            guard leaves.count == ReceiptSequencerStore.maxBatch else { return }
        }
    }

    private func signIfDue(_ office: inout Office) async throws(StorageError) {
        let now = BootInstant.now()
        guard var term = office.term, term.headSize != term.frontier.size,
            isOver(Self.headInterval, since: office.headAt, now)
        else { return }
        var head = TreeHead(
            origin: term.origin, size: term.frontier.size, root: term.frontier.root,
            at: Timestamp(milliseconds: WallClock.nowMilliseconds()))
        if let pair = keys()?.pairs.current {
            head.sign(Base64.encode(pair.sign(head.coveredBytes)), keyID: pair.publicKey.id)
        }
        guard try await store.store(head, of: term) else {
            office = Office()
            return
        }
        KillPoint.reach(.afterLogHead)
        metrics.add(.receiptHeads)
        term.headSize = head.size
        (office.term, office.headAt) = (term, now)
    }

    /// A head that is owed is not a tick late.
    private func wait(_ office: Office) -> Duration {
        guard let term = office.term else { return Self.renewal }
        guard term.headSize != term.frontier.size, let last = office.headAt else { return Self.tick }
        return max(.milliseconds(1), min(Self.tick, Self.headInterval - BootInstant.now().since(last)))
    }

    private func isOver(_ interval: Duration, since last: BootInstant?, _ now: BootInstant) -> Bool {
        last.map { now.since($0) >= interval } ?? true
    }
}
