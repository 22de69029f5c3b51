package import Domain

/// One text message of the gateway, as our own client reads it.
package enum StreamMessage: Sendable {
    /// An event of the log, with its envelope as it came.
    case event(DebateID, SealedEvent)
    /// An agent began to write.
    case writing(agent: String)
    /// What the client has is void; the replay begins at 1 again.
    case logReset
    /// Not the end of anything.
    case warning(code: String, message: String)
    /// The stream ends here.
    case failure(message: String)
    /// Heartbeats, confirmations and what we do not know.
    case other

    /// - Throws: ``ContractError`` for what is no message of ours.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> StreamMessage {
        let object = try ClientForms.object(bytes)
        guard let type = object["type"]?.string else { throw ContractError(.malformed, "a message without a type") }
        // Only events of the log have a number.
        guard object["seq"] == nil || object["hash"] == nil else {
            let (debate, event) = try EventEnvelope.parse(.object(object))
            return .event(debate, event)
        }
        let data = object["data"]?.object ?? JSONObject()
        let message = data["message"]?.string ?? ""
        switch type {
        case "token_start": return .writing(agent: object["agent"]?.string ?? "")
        case "warning":
            let code = data["code"]?.string ?? ""
            return code == WarningCode.logReset.rawValue ? .logReset : .warning(code: code, message: message)
        case "error", "auth_revoked": return .failure(message: message)
        default: return .other
        }
    }
}
