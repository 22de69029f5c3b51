import Domain
import Platform

/// A model that answers by a script, remembers every request, and can be made to wait.
///
/// It fails the unexpected: the same attempt of the same key twice is recorded as a violation.
final class ScriptedModel: ModelClient {
    typealias Script = @Sendable (CallRequest) -> CallOutcome

    private struct State {
        var requests: [CallRequest] = []
        var violations: [String] = []
        var held: Set<String> = []
        var waiting: [String: [CheckedContinuation<CallOutcome?, Never>]] = [:]
        var arrivals: [(key: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let script: Script
    private let state = Lock(State())

    /// - Parameter held: keys whose calls wait until ``release(_:)`` or cancellation.
    init(held: Set<String> = [], _ script: @escaping Script = ScriptedModel.agreeable) {
        self.script = script
        state.withLock { $0.held = held }
    }

    var requests: [CallRequest] { state.withLock { $0.requests } }
    var violations: [String] { state.withLock { $0.violations } }
    var keys: [String] { requests.map(\.call.key.text) }

    func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        let key = request.call.key.text
        let (isHeld, arrived) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
            let isKnown = state.requests.contains {
                $0.debate == request.debate && $0.call.key == request.call.key && $0.attempt == request.attempt
            }
            if isKnown {
                state.violations.append("\(key) attempt \(request.attempt) was sent twice")
            }
            state.requests.append(request)
            let arrived = state.arrivals.filter { $0.key == key }.map(\.continuation)
            state.arrivals.removeAll { $0.key == key }
            return (state.held.contains(key), arrived)
        }
        for continuation in arrived { continuation.resume() }
        guard isHeld else { return script(request) }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayWait = state.withLock { state in
                    guard state.held.contains(key), !Task.isCancelled else { return false }
                    state.waiting[key, default: []].append(continuation)
                    return true
                }
                if !mayWait { continuation.resume(returning: nil) }
            }
        } onCancel: {
            finish(key, with: .failed(CallFailure(.cancelled)))
        }
        return outcome ?? (Task.isCancelled ? .failed(CallFailure(.cancelled)) : script(request))
    }

    /// Lets the calls of a key, now and later, answer by the script.
    func release(_ key: String) {
        state.withLock { _ = $0.held.remove(key) }
        finish(key, with: nil)
    }

    private func finish(_ key: String, with outcome: CallOutcome?) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: key) ?? [] }
        for continuation in waiting { continuation.resume(returning: outcome) }
    }

    /// Returns when a call of the key has arrived, in whichever debate.
    func arrival(of key: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.requests.contains(where: { $0.call.key.text == key }) { return true }
                state.arrivals.append((key, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// New words in every round, votes for the first agent.
    static let agreeable: Script = { request in
        let call = request.call
        let text =
            switch call.phase {
            case .propose, .revise:
                (0..<20).map { "\(call.agent.name)r\(call.round)\(call.phase)w\($0)" }.joined(separator: " ")
            case .critique: "Too vague.\nSEVERITY: 0.4"
            case .judge: "DECISION: As \(call.material.others[0].agent) says.\nCONFIDENCE: 0.7\nDISSENT: none"
            case .ballot, .vote:
                "CHOICE: \(call.material.others[0].agent)\nCONFIDENCE: 0.9\nCONTINUE: yes\nREASONING: It is clear."
            }
        return .answered(
            Answer(
                content: text, provider: .demo, model: "script",
                usage: Usage(inputTokens: 3, outputTokens: 5, cost: MicroUSD(7)),
                truncated: false))
    }
}
