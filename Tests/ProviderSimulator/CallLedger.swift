import Contracts
import Platform

/// What arrived and what was answered to its end.
final class CallLedger: Sendable {
    /// Keys that are remembered; later ones count in the totals only.
    static let maxKeys = 500_000

    private struct Counts {
        var sent = 0
        var completed = 0
        var model = ""
    }

    private struct State {
        var totals = Counts()
        var keys: [String: Counts] = [:]
        var callKeys: [String: Counts] = [:]
        var faults: [String: Int] = [:]
    }

    private let state = Lock(State())

    func sent(_ call: IncomingCall) {
        state.withLock { state in
            state.totals.sent += 1
            guard state.keys.count < Self.maxKeys else { return }
            if !call.idempotencyKey.isEmpty {
                state.keys[call.idempotencyKey, default: Counts(model: call.model)].sent += 1
            }
            if !call.callKey.isEmpty { state.callKeys[call.callKey, default: Counts(model: call.model)].sent += 1 }
        }
    }

    func completed(_ call: IncomingCall) {
        state.withLock { state in
            state.totals.completed += 1
            state.keys[call.idempotencyKey]?.completed += 1
            state.callKeys[call.callKey]?.completed += 1
        }
    }

    func failed(_ kind: Fault.Kind) { state.withLock { $0.faults[kind.rawValue, default: 0] += 1 } }

    func clear() { state.withLock { $0 = State() } }

    var json: JSONValue {
        let state = state.withLock { $0 }
        func counts(_ counts: Counts) -> JSONValue {
            [
                "sent": .int(Int64(counts.sent)), "completed": .int(Int64(counts.completed)),
                "model": .string(counts.model),
            ]
        }
        func table(_ table: [String: Counts]) -> JSONValue {
            .object(JSONObject(table.sorted { $0.key < $1.key }.map { ($0.key, counts($0.value)) }))
        }
        return [
            "totals": ["sent": .int(Int64(state.totals.sent)), "completed": .int(Int64(state.totals.completed))],
            "faults": .object(
                JSONObject(state.faults.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) })),
            "keys": table(state.keys), "call_keys": table(state.callKeys),
        ]
    }
}
