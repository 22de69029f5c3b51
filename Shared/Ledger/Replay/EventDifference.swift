import Crypto
import Domain

/// The first thing in which an event that was rebuilt is not the recorded one.
enum EventDifference {
    /// Bytes that are shown before and after the first that differs.
    private static let context = 24

    static func between(_ recorded: SealedEvent, _ rebuilt: SealedEvent) -> ReplayFault.Reason? {
        func differ(_ part: ReplayFault.Part, _ was: some Any, _ made: some Any) -> ReplayFault.Reason {
            .different(part, detail: "recorded \(was), rebuilt \(made)")
        }
        if recorded.seq != rebuilt.seq { return differ(.number, recorded.seq, rebuilt.seq) }
        if recorded.type != rebuilt.type { return differ(.type, recorded.type, rebuilt.type) }
        if recorded.round != rebuilt.round { return differ(.round, recorded.round, rebuilt.round) }
        if recorded.agent != rebuilt.agent { return differ(.agent, recorded.agent ?? "none", rebuilt.agent ?? "none") }
        // An envelope has the call in its data only.
        if let call = recorded.call, call != rebuilt.call {
            return differ(.call, call.key, rebuilt.call?.key.text ?? "none")
        }
        if let detail = data(recorded.data, rebuilt.data) { return .different(.data, detail: detail) }
        if !recorded.dataHash.isEmpty, recorded.dataHash != rebuilt.dataHash {
            return differ(.dataHash, Hex.encode(recorded.dataHash), Hex.encode(rebuilt.dataHash))
        }
        if recorded.prevHash != rebuilt.prevHash {
            return differ(.previousHash, Hex.encode(recorded.prevHash), Hex.encode(rebuilt.prevHash))
        }
        if recorded.hash != rebuilt.hash { return differ(.hash, Hex.encode(recorded.hash), Hex.encode(rebuilt.hash)) }
        return nil
    }

    private static func data(_ recorded: [UInt8], _ rebuilt: [UInt8]) -> String? {
        guard recorded != rebuilt else { return nil }
        let at = zip(recorded, rebuilt).prefix { $0 == $1 }.count
        return "at byte \(at), recorded …\(excerpt(recorded, at))…, rebuilt …\(excerpt(rebuilt, at))…"
    }

    private static func excerpt(_ bytes: [UInt8], _ at: Int) -> String {
        String(decoding: bytes[max(0, min(at, bytes.count) - context)..<min(bytes.count, at + context)], as: UTF8.self)
    }
}
