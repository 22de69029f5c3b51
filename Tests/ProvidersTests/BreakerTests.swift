import Domain
import Providers
import Testing

@Suite("Circuit breaker")
struct BreakerTests {
    private static let second: Int64 = 1_000_000_000

    private func broken(_ provider: ProviderKey, failures: Int) -> BreakerState {
        var state = BreakerState(BreakerState.Thresholds(for: provider))
        for index in 0..<failures {
            _ = state.admit(now: Int64(index))
            state.record(.failed, now: Int64(index))
        }
        return state
    }

    @Test(
        "opens at its provider's threshold, not before",
        arguments: [
            (ProviderKey.anthropic, 3), (.openai, 3), (.openrouter, 5), (.mistral, 5), (.local, 5),
        ])
    func threshold(_ provider: ProviderKey, _ failures: Int) {
        #expect(broken(provider, failures: failures - 1).phase(now: 10) == .closed)
        #expect(broken(provider, failures: failures).phase(now: 10) == .open)
    }

    @Test(
        "forgets failures older than its window",
        arguments: [(ProviderKey.openai, Int64(60)), (.openrouter, Int64(120))])
    func window(_ provider: ProviderKey, _ seconds: Int64) {
        let thresholds = BreakerState.Thresholds(for: provider)
        func after(_ pause: Int64) -> BreakerState.Phase {
            var state = BreakerState(thresholds)
            for _ in 1..<thresholds.failures { state.record(.failed, now: 0) }
            state.record(.failed, now: pause)
            return state.phase(now: pause)
        }
        #expect(after(seconds * Self.second - 1) == .open)
        #expect(after(seconds * Self.second) == .closed)
    }

    @Test("refuses while open and says for how long")
    func refuses() {
        var state = broken(.openai, failures: 3)
        do {
            let admission = state.admit(now: 2 + 20 * Self.second)
            #expect(admission == .refused(retryAfter: .seconds(40)))
        }
    }

    @Test("lets one probe through after the cooldown, and closes when it succeeds")
    func probe() {
        var state = broken(.openai, failures: 3)
        let later = 61 * Self.second
        do {
            let admission = state.admit(now: later)
            #expect(admission == .allowed)
        }
        #expect(state.phase(now: later) == .halfOpen)
        do {
            let admission = state.admit(now: later)
            #expect(admission != .allowed)
        }
        state.record(.succeeded, now: later)
        #expect(state.phase(now: later) == .closed)
        do {
            let admission = state.admit(now: later)
            #expect(admission == .allowed)
        }
    }

    @Test("a failed probe opens it again for a whole cooldown")
    func failedProbe() {
        var state = broken(.openai, failures: 3)
        let later = 61 * Self.second
        _ = state.admit(now: later)
        let opened = state.record(.failed, now: later)
        #expect(opened)
        do {
            let admission = state.admit(now: later + 59 * Self.second)
            #expect(admission != .allowed)
        }
        do {
            let admission = state.admit(now: later + 60 * Self.second)
            #expect(admission == .allowed)
        }
    }

    @Test("a probe that says nothing makes room for another")
    func cancelledProbe() {
        var state = broken(.openai, failures: 3)
        let later = 61 * Self.second
        _ = state.admit(now: later)
        state.record(.neither, now: later)
        do {
            let admission = state.admit(now: later)
            #expect(admission == .allowed)
        }
    }

    @Test("a success from before it opened does not close it")
    func lateSuccess() {
        var state = broken(.openai, failures: 3)
        state.record(.succeeded, now: 5)
        #expect(state.phase(now: 5) == .open)
    }
}
