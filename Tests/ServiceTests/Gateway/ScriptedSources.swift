import Contracts
import Crypto
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// Something that happens once and can be awaited.
final class Latch: Sendable {
    private let state = Lock((isOpen: false, waiters: [CheckedContinuation<Void, Never>]()))

    func open() {
        let due = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in due { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// A made-up chain of events: numbers and links as in a real log, contents that show the number.
struct Chain {
    let debate: DebateID
    private(set) var entries: [PublishedEntry] = []

    /// - Parameter branch: chains of different branches share no hash.
    init(_ debate: DebateID, count: Int64 = 0, branch: UInt8 = 0, padding: Int = 0) {
        self.debate = debate
        for _ in 0..<count { append(branch: branch, padding: padding) }
    }

    @discardableResult
    mutating func append(branch: UInt8 = 0, padding: Int = 0, epoch: Int64 = 1) -> PublishedEntry {
        let seq = Int64(entries.count + 1)
        let entry = PublishedEntry(
            kind: .event, seq: seq, epoch: epoch, hash: Self.hash(seq, branch),
            prevHash: entries.last?.hash ?? Self.hash(0, branch),
            envelope: Array(
                #"{"type":"event","debate_id":"\#(debate.text)","seq":\#(seq),"branch":\#(branch),"pad":"\#(String(repeating: "x", count: padding))"}"#
                    .utf8))
        entries.append(entry)
        return entry
    }

    /// One that is written as in a real log, with data of its own.
    @discardableResult
    mutating func appendSealed(_ type: String, secret: String = "", epoch: Int64 = 1) -> PublishedEntry {
        let seq = Int64(entries.count + 1)
        let data: JSONValue = ["debate_id": .string(debate.text), "secret": .string(secret)]
        let event = SealedEvent(
            seq: seq, type: type, round: 1, agent: nil, at: Timestamp(milliseconds: 0), epoch: epoch,
            data: CanonicalJSON.encode(data), salt: [UInt8](repeating: 7, count: 16),
            dataHash: SHA256.hash([UInt8](repeating: 7, count: 16) + CanonicalJSON.encode(data)),
            prevHash: entries.last?.hash ?? Self.hash(0, 0), hash: Self.hash(seq, 0), call: nil)
        let entry = PublishedEntry(
            kind: .event, seq: seq, epoch: epoch, hash: event.hash, prevHash: event.prevHash,
            envelope: EventEnvelope.encode(event, debateID: debate))
        entries.append(entry)
        return entry
    }

    var tail: LogTail { LogTail(seq: entries.last?.seq ?? 0, hash: entries.last?.hash ?? Self.hash(0, 0)) }

    private static func hash(_ seq: Int64, _ branch: UInt8) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: seq >> (8 * Int64($0 % 4))) ^ branch }
    }
}

/// The durable log as a test writes it, with a hook before each answer.
final class ScriptedLog: LogSource {
    struct Unavailable: Error {}

    private struct State {
        var chains: [DebateID: Chain] = [:]
        var organizations: [DebateID: OrganizationID] = [:]
        var removed: Set<DebateID> = []
        var status = DebateStatus.running
        var pages: [(from: Int64, limit: Int)] = []
        var tails = 0
        var questions: [Int] = []
        var failures = 0
        var beforePage: (@Sendable (Int64) async -> Void)?
        var beforeTail: (@Sendable () async -> Void)?
    }

    private let state = Lock(State())

    /// The retention takes what the debate said; where it ended stays.
    func remove(_ debate: DebateID) { state.withLock { _ = $0.removed.insert(debate) } }

    /// - Parameter organization: whose debate it is; nil for the default one's.
    func put(_ chain: Chain, organization: OrganizationID? = nil) {
        state.withLock {
            $0.chains[chain.debate] = chain
            $0.organizations[chain.debate] = organization
        }
    }
    func set(_ status: DebateStatus) { state.withLock { $0.status = status } }
    /// The next so many questions fail.
    func fail(_ times: Int) { state.withLock { $0.failures = times } }
    func beforePage(_ hook: @escaping @Sendable (Int64) async -> Void) { state.withLock { $0.beforePage = hook } }
    func beforeTail(_ hook: @escaping @Sendable () async -> Void) { state.withLock { $0.beforeTail = hook } }
    var pages: [Int64] { state.withLock { $0.pages.map(\.from) } }
    var tails: Int { state.withLock { $0.tails } }
    /// How many debates each question about several was about.
    var questions: [Int] { state.withLock { $0.questions } }

    private func answer() throws {
        try state.withLock { state in
            guard state.failures > 0 else { return }
            state.failures -= 1
            throw Unavailable()
        }
    }

    func tail(of debate: DebateID) async throws -> FeedTail? {
        let hook = state.withLock { state in
            state.tails += 1
            return state.beforeTail
        }
        await hook?()
        try answer()
        return state.withLock { state in
            state.chains[debate].map {
                FeedTail(tail: $0.tail, status: state.status, organization: state.organizations[debate])
            }
        }
    }

    func entries(of debate: DebateID, from seq: Int64, limit: Int) async throws -> [FeedEntry] {
        let hook = state.withLock { state in
            state.pages.append((seq, limit))
            return state.beforePage
        }
        guard state.withLock({ !$0.removed.contains(debate) }) else { throw LogRemoved() }
        // Read first, answer later: what the hook does happens after the log was read.
        let found = state.withLock { state in
            state.chains[debate]?.entries.filter { $0.seq >= seq }.prefix(limit).map(FeedEntry.init) ?? []
        }
        await hook?(seq)
        try answer()
        return found
    }

    func newest(of debates: [DebateID]) async throws -> [DebateID: FeedTail] {
        try answer()
        return state.withLock { state in
            state.questions.append(debates.count)
            return state.chains.filter { debates.contains($0.key) }.reduce(into: [:]) { found, chain in
                found[chain.key] = FeedTail(
                    tail: chain.value.tail, status: state.status, organization: state.organizations[chain.key])
            }
        }
    }
}

/// Redis as a test plays it.
final class ScriptedLive: LiveSource {
    private struct State {
        var isUp = true
        var unread = 0
        var channels: Set<DebateID> = []
        var cache: [DebateID: Chain] = [:]
    }

    private let state = Lock(State())

    var isUp: Bool { get async { state.withLock { $0.isUp } } }
    var unreadBytes: Int { state.withLock { $0.unread } }
    func set(unread: Int) { state.withLock { $0.unread = unread } }
    var channels: Set<DebateID> { state.withLock { $0.channels } }
    func put(_ chain: Chain) { state.withLock { $0.cache[chain.debate] = chain } }

    func subscribe(_ debate: DebateID) async -> Bool {
        state.withLock { state in
            state.channels.insert(debate)
            return state.isUp
        }
    }

    func unsubscribe(_ debate: DebateID) async { state.withLock { _ = $0.channels.remove(debate) } }

    func cached(_ debate: DebateID, from seq: Int64, limit: Int) async -> [FeedEntry] {
        state.withLock { state in
            state.cache[debate]?.entries.filter { $0.seq >= seq }.prefix(limit).map(FeedEntry.init) ?? []
        }
    }
}

/// The links of a test.
final class ScriptedLinks: LinkSource {
    struct Unavailable: Error {}

    private let state = Lock((links: [[UInt8]: SharedLink](), isAway: false, looks: 0))

    /// A link to `debate`, by its token.
    func make(_ token: String, of debate: DebateID, millisecondsFromNow: Int64 = 60_000) {
        let digest = SHA256.hash(Array(token.utf8))
        let expires = Timestamp(milliseconds: WallClock.nowMilliseconds() + millisecondsFromNow)
        state.withLock { $0.links[digest] = SharedLink(digest: digest, debate: debate, expires: expires) }
    }

    func revoke(_ token: String) { state.withLock { $0.links[SHA256.hash(Array(token.utf8))] = nil } }
    func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }
    var looks: Int { state.withLock { $0.looks } }

    func link(of digest: [UInt8]) async throws -> SharedLink? {
        try state.withLock { state in
            guard !state.isAway else { throw Unavailable() }
            return state.links[digest]
        }
    }

    func inForce(_ digests: [[UInt8]]) async throws -> Set<[UInt8]> {
        try state.withLock { state in
            state.looks += 1
            guard !state.isAway else { throw Unavailable() }
            return Set(digests.filter { state.links[$0] != nil })
        }
    }
}
