import Contracts
package import Crypto
package import Domain
import Ledger
package import PostgresClient
import Storage

/// Walks every debate's chain in a database, and compares it with what its tables and receipts say: the proof behind
/// `db verify`, and behind every backup.
package struct LogVerifier: Sendable {
    /// Something wrong, and where.
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        package let debate: DebateID?
        /// The first bad event.
        package let seq: Int64?
        package let reason: String

        package var description: String { [debate?.text, reason].compactMap { $0 }.joined(separator: ": ") }
    }

    /// What a walk found.
    package struct Report: Sendable {
        /// Problems that are kept; more only raise the count.
        package static let maxProblems = 100

        package private(set) var debates = 0
        package private(set) var events = 0
        package private(set) var receipts = 0
        /// Events whose content was taken away; their place in the chain was checked all the same.
        package private(set) var erasedEvents = 0
        /// Debates whose events went when their retention had passed; their receipts were checked all the same.
        package private(set) var removedLogs = 0
        package private(set) var problems: [Problem] = []
        package private(set) var problemCount = 0
        package var isSound: Bool { problemCount == 0 }

        mutating func count(events: Int, erased: Int, receipts: Int) {
            debates += 1
            erasedEvents += erased
            self.events += events
            self.receipts += receipts
        }

        mutating func countRemovedLog() { removedLogs += 1 }

        mutating func add(_ problem: Problem) {
            problemCount += 1
            if problems.count < Self.maxProblems { problems.append(problem) }
        }
    }

    /// Told after each debate how far the walk is.
    package typealias Progress = @Sendable (Report) -> Void

    private let walk: LogWalk
    private let receipts: ReceiptReader
    private let receiptVerifier: ReceiptVerifier
    private let retention: ReceiptRetentionStore
    private let eventRetention: EventRetentionStore
    private let receiptLog: ReceiptLogCheck

    /// - Parameter keys: checks the receipts' signatures too; without, their checksums only.
    package init(pool: PGPool, keys: KeyRing? = nil) {
        walk = LogWalk(pool: pool)
        receipts = ReceiptReader(pool: pool)
        receiptVerifier = ReceiptVerifier(keys: keys)
        retention = ReceiptRetentionStore(pool: pool)
        eventRetention = EventRetentionStore(pool: pool)
        receiptLog = ReceiptLogCheck(pool: pool)
    }

    /// Walks the whole database. Safe beside running debates: what is appended meanwhile is checked as far as it is seen.
    /// - Throws: `StorageError` when the database can not be read; a problem in it is no error.
    package func verifyAll(progress: Progress = { _ in }) async throws -> Report {
        var report = Report()
        var last: DebateID?
        let hasReceiptLog = try await receiptLog.isPossible()
        while true {
            let page = try await walk.debates(after: last)
            for newest in page {
                try await verify(newest, hasReceiptLog: hasReceiptLog, into: &report)
                progress(report)
            }
            guard let end = page.last else { break }
            last = end.debate
        }
        for contradiction in try await walk.contradictions() {
            report.add(Problem(debate: nil, seq: nil, reason: contradiction))
        }
        if hasReceiptLog, let problem = try await receiptLog.problem() {
            report.add(Problem(debate: nil, seq: nil, reason: problem))
        }
        return report
    }

    private func verify(_ newest: NewestEvent, hasReceiptLog: Bool, into report: inout Report) async throws {
        // Before the events: what it covers is then among them.
        let receipt = try await receipts.receipt(of: newest.debate)
        var chain = ChainWalk(newest: newest, receipt: receipt)
        if let receipt, hasReceiptLog {
            chain.leaf = try await receiptLog.leaf(of: receipt)
        } else if hasReceiptLog {
            chain.isExpired = try await retention.isExpired(newest.debate)
        }
        var seq: Int64 = 1
        while true {
            let page = try await walk.events(of: newest.debate, from: seq)
            guard let end = page.last, chain.take(page) else { break }
            seq = end.seq + 1
        }
        if chain.isEmpty, try await eventRetention.exists() {
            chain.isLogRemoved = try await eventRetention.isRemoved(newest.debate)
            if chain.isLogRemoved { report.countRemovedLog() }
        }
        report.count(
            events: Int(chain.verifier.tail.seq), erased: chain.erased, receipts: receipt == nil ? 0 : 1)
        for problem in chain.problems(receiptVerifier) { report.add(problem) }
        if let problem = try await problem(of: newest.debate) { report.add(problem) }
    }

    /// A debate that branched off another names an event of that one by its hash. One whose parent is gone stands alone.
    private func problem(of debate: DebateID) async throws -> Problem? {
        guard let first = try await walk.events(of: debate, from: 1, limit: 1).first, !first.isErased,
            case .debateStart(let start)? = try? EventCodec.decode(first), let branch = start.branch,
            let shared = try await walk.events(of: branch.parent, from: branch.tail.seq, limit: 1).first,
            shared.seq != branch.tail.seq || shared.hash != branch.tail.hash
        else { return nil }
        return Problem(
            debate: debate, seq: 1,
            reason: "it branched off event \(branch.tail.seq) of \(branch.parent), which is another one now")
    }
}

/// One debate's chain beside what its run and its receipt say of it.
private struct ChainWalk {
    let newest: NewestEvent
    let receipt: StoredReceipt?
    /// What the receipt log has of it; nil while it is not there yet.
    var leaf: [UInt8]?
    /// It had a receipt until its retention passed.
    var isExpired = false
    /// It had events until their retention passed: the receipt stands for them.
    var isLogRemoved = false
    var isEmpty: Bool { verifier.tail.seq == 0 && fault == nil }
    private let document: ReceiptDocument?
    private(set) var verifier: ChainVerifier
    private(set) var erased = 0
    private var fault: ChainFault?
    private var hashes: [Int64: [UInt8]] = [:]

    init(newest: NewestEvent, receipt: StoredReceipt?) {
        self.newest = newest
        self.receipt = receipt
        document = receipt.flatMap { try? ReceiptDocument.parse($0.document) }
        verifier = ChainVerifier(debateID: newest.debate)
    }

    /// False at the first fault; nothing after it is looked at.
    mutating func take(_ events: [SealedEvent]) -> Bool {
        for event in events {
            do throws(ChainFault) {
                try verifier.feed(event)
            } catch {
                fault = error
                return false
            }
            if event.isErased { erased += 1 }
            if event.seq == newest.tail.seq || event.seq == document?.eventCount { hashes[event.seq] = event.hash }
        }
        return true
    }

    func problems(_ receipts: ReceiptVerifier) -> [LogVerifier.Problem] {
        if let fault { return [problem(fault.seq, "\(fault)")] }
        var problems: [LogVerifier.Problem] = []
        if hashes[newest.tail.seq] != newest.tail.hash, !isLogRemoved {
            problems.append(
                problem(
                    verifier.tail.seq,
                    "the run says the log ends at \(newest.tail.seq), with another hash or more events"))
        }
        return problems + receiptProblems(receipts)
    }

    private func receiptProblems(_ verifier: ReceiptVerifier) -> [LogVerifier.Problem] {
        guard let receipt else {
            let isMissing = !isExpired && (newest.status == .completed || newest.status == .timeout)
            return isMissing ? [problem(nil, "it ended \(newest.status.rawValue) without a receipt")] : []
        }
        guard let document, let count = document.eventCount, let found = try? verifier.verify(receipt.document) else {
            return [problem(nil, "receipt \(receipt.id.text) can not be read")]
        }
        guard found.isGood, found.debateID == newest.debate else {
            return [problem(nil, "receipt \(receipt.id.text) does not verify")]
        }
        guard leaf == nil || leaf == ReceiptLeaf(document)?.bytes else {
            return [problem(nil, "receipt \(receipt.id.text) is not the one that the receipt log has")]
        }
        guard isLogRemoved || hashes[count] == document.headHash else {
            return [problem(count, "receipt \(receipt.id.text) names another hash of event \(count)")]
        }
        return []
    }

    private func problem(_ seq: Int64?, _ reason: String) -> LogVerifier.Problem {
        LogVerifier.Problem(debate: newest.debate, seq: seq, reason: reason)
    }
}
