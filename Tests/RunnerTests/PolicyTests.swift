import Platform
import Providers
import Testing

@testable import DebateRunner
@testable import Domain

@Suite("What a runner decides without stores")
struct PolicyTests {
    @Test("a lease is fresh until a second before its end, counted from when the renewal was sent")
    func leaseClock() {
        let now = Lock(BootInstant(nanoseconds: 0))
        let lease = LeaseClock(lease: .seconds(4), now: { now.withLock { $0 } })
        #expect(!lease.isFresh)
        let sent = lease.reading()
        now.withLock { $0 = $0.advanced(by: .seconds(2)) }
        lease.confirm(sentAt: sent)
        #expect(lease.isFresh)
        now.withLock { $0 = $0.advanced(by: .seconds(1)) }
        #expect(lease.isFresh)
        now.withLock { $0 = $0.advanced(by: .nanoseconds(1)) }
        #expect(!lease.isFresh)
        lease.confirm(sentAt: lease.reading())
        lease.confirm(sentAt: sent)
        #expect(lease.isFresh, "a late answer to an older renewal changes nothing")
        lease.invalidate()
        #expect(!lease.isFresh)
    }

    @Test(
        "an embedded runner claims only when nobody else does",
        arguments: [
            (EmbeddedRunnerPolicy.auto, 0, 0, true), (.auto, 0, 30, true), (.auto, 1, 0, false), (.auto, 1, 9, false),
            (.auto, 1, 10, true), (.auto, 5, 11, true), (.on, 3, 0, true), (.off, 0, 30, false),
        ])
    func embedded(policy: EmbeddedRunnerPolicy, workers: Int, waited: Int, expected: Bool) {
        #expect(policy.mayClaim(.init(liveWorkers: workers, longestWait: .seconds(waited))) == expected)
        if waited == 0 { #expect(policy.mayClaim(.init(liveWorkers: workers, longestWait: nil)) == expected) }
    }

    @Test("retries double, stay within their bounds, and honour Retry-After")
    func retry() {
        let policy = RetryPolicy()
        #expect(policy.verdict(on: CallFailure(.server), failures: 1, jitter: 1) == .retry(after: .milliseconds(500)))
        #expect(policy.verdict(on: CallFailure(.server), failures: 1, jitter: 0.5) == .retry(after: .milliseconds(250)))
        #expect(policy.verdict(on: CallFailure(.server), failures: 1, jitter: 0) == .retry(after: .zero))
        #expect(policy.verdict(on: CallFailure(.server), failures: 2, jitter: 1) == .retry(after: .seconds(1)))
        #expect(policy.verdict(on: CallFailure(.server), failures: 3, jitter: 1) == .giveUp)
        let asked = CallFailure(.rateLimited, retryAfterMilliseconds: 7000)
        #expect(policy.verdict(on: asked, failures: 1, jitter: 0) == .retry(after: .seconds(7)))
        let tooLong = CallFailure(.rateLimited, retryAfterMilliseconds: 60_001)
        #expect(policy.verdict(on: tooLong, failures: 1, jitter: 0) == .giveUp)
    }

    @Test("another provider is asked at once when waiting does not help, and when the tries are used up")
    func fallBack() {
        let policy = RetryPolicy()
        func verdict(_ kind: CallFailure.Kind, _ failures: Int, isStandIn: Bool = false) -> RetryPolicy.Verdict {
            policy.verdict(
                on: CallFailure(kind), failures: failures, jitter: 0, standIn: !isStandIn, isStandIn: isStandIn)
        }
        for kind in [CallFailure.Kind.quota, .upstreamTimeout, .circuitOpen] { #expect(verdict(kind, 1) == .fallBack) }
        #expect(verdict(.rateLimited, 1) == .retry(after: .zero))
        #expect(verdict(.rateLimited, 3) == .fallBack)
        for kind in [CallFailure.Kind.authentication, .badRequest, .refused, .totalTimeout, .cancelled] {
            #expect(verdict(kind, 1) == .giveUp)
        }
        #expect(verdict(.server, 1, isStandIn: true) == .retry(after: .zero))
        #expect(verdict(.server, 2, isStandIn: true) == .giveUp, "both providers together stay within a key's attempts")
        #expect(verdict(.quota, 1, isStandIn: true) == .giveUp)
    }

    @Test(
        "what can not get better is not tried again",
        arguments: CallFailure.Kind.allCases.filter { !CallFailure($0).isRetryable })
    func final(kind: CallFailure.Kind) {
        #expect(RetryPolicy().verdict(on: CallFailure(kind), failures: 1, jitter: 0) == .giveUp)
    }

    @Test("of several answers the lowest attempt counts; failures add up over holders; a cancel says nothing")
    func history() {
        func record(
            _ attempt: Int, _ state: CallState, _ failure: CallFailure.Kind? = nil, key: String = "r1/propose/a"
        ) -> CallRecord {
            let answer =
                state == .answered
                ? Answer(content: "answer \(attempt)", provider: .demo, model: "m", usage: Usage(), truncated: false)
                : nil
            return CallRecord(
                reference: CallReference(key: CallKey(key), attempt: attempt), agent: "a", epoch: 1, state: state,
                answer: answer,
                failure: failure)
        }
        let key = CallKey("r1/propose/a")
        let answered = CallHistory([record(3, .answered), record(2, .answered), record(1, .unknown)])
        #expect(answered.answer(to: key)?.reference.attempt == 2)
        #expect(answered.newestAttempt(of: key) == 3)
        let failed = CallHistory([record(1, .failed, .server), record(2, .unknown), record(3, .failed, .server)])
        #expect(failed.answer(to: key) == nil)
        #expect(failed.finalFailure(of: key, policy: RetryPolicy()) == nil)
        #expect(failed.failureCount(of: key) == 2)
        let refused = CallHistory([record(1, .refused, .refused)])
        #expect(refused.finalFailure(of: key, policy: RetryPolicy())?.kind == .refused)
        #expect(CallHistory([record(1, .failed, .cancelled)]).failureCount(of: key) == 0)
        #expect(CallHistory().newestAttempt(of: key) == 1)
    }

    @Test("settings have bounds, and all problems are reported")
    func settings() {
        let values = ["WORKER_CONCURRENCY": "0", "WORKER_LEASE_SECONDS": "2", "WORKER_DRAIN_SECONDS": "5"]
        var reader = SettingsReader(lookup: { values[$0] })
        let settings = RunnerSettings(worker: &reader)
        #expect(reader.problems.count == 2)
        #expect(settings.concurrency == 3)
        #expect(settings.drain == .seconds(5))
        #expect(settings.lease > LeaseClock.margin + RunnerSettings.renewal)
    }
}

@Suite("PublishCursor")
struct PublishCursorTests {
    private func event(_ seq: Int64) -> SealedEvent {
        SealedEvent(
            seq: seq, type: "vote", round: 1, agent: nil, at: Timestamp(milliseconds: 0), epoch: 1, data: [], salt: [],
            dataHash: [],
            prevHash: hash(seq - 1), hash: hash(seq), call: nil)
    }

    private func hash(_ seq: Int64) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: 32) }
    private func events(_ range: ClosedRange<Int64>) -> [SealedEvent] { range.map(event) }
    private func tail(_ seq: Int64) -> LogTail { LogTail(seq: seq, hash: hash(seq)) }

    private func published(_ next: PublishCursor.Next) -> [Int64]? {
        if case .publish(let events) = next { events.map(\.seq) } else { nil }
    }

    private func read(_ next: PublishCursor.Next) -> Int64? {
        if case .read(let seq) = next { seq } else { nil }
    }

    @Test("a log that is whole in memory is published without a question")
    func fresh() {
        var cursor = PublishCursor(epoch: 1, tail: tail(1), events: events(1...1))
        #expect(published(cursor.next) == [1])
        let published1 = cursor.published(upTo: 1)
        #expect(published1)
        #expect(cursor.isDone)
        cursor.append(events(2...3))
        #expect(published(cursor.next) == [2, 3])
        #expect(cursor.lag == 2)
    }

    @Test("an adopter asks where the cache ends and reads what is missing between")
    func adopted() {
        var cursor = PublishCursor(epoch: 2, tail: tail(200), events: events(150...200))
        guard case .locate = cursor.next else { return #expect(Bool(false), "must locate") }
        let located2 = cursor.located(tail(100))
        #expect(located2)
        #expect(read(cursor.next) == 101)
        let published3 = cursor.published(upTo: 160)
        #expect(published3)
        #expect(published(cursor.next) == Array(161...200))
    }

    @Test("a cache beyond the log, or with another event, is forgotten and filled anew")
    func ahead() {
        var cursor = PublishCursor(epoch: 2, tail: tail(70), events: events(60...70))
        let located4 = cursor.located(tail(71))
        #expect(!located4)
        #expect(read(cursor.next) == 1)
        let located5 = cursor.located(LogTail(seq: 70, hash: hash(9)))
        #expect(!located5)
        let located6 = cursor.located(tail(70))
        #expect(located6)
        #expect(cursor.isDone)
        let published7 = cursor.published(upTo: 71)
        #expect(!published7)
    }

    @Test("after a failure nothing is taken for granted, and memory is bounded")
    func lost() {
        var cursor = PublishCursor(epoch: 1, tail: tail(1), events: events(1...1))
        cursor.append(events(2...100))
        #expect(cursor.pending.count == PublishCursor.maxPending)
        cursor.lost()
        guard case .locate = cursor.next else { return #expect(Bool(false), "must locate") }
        let located8 = cursor.located(nil)
        #expect(located8)
        #expect(read(cursor.next) == 1)
    }
}
