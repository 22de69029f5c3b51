import Contracts
import Domain
import HTTP
import ServiceKit
import Sockets
import Storage

/// Makes entries of the audit log about what a caller does. Stores append them with what they tell of.
struct AuditTrail: Sendable {
    let trustedProxies: TrustedProxies

    /// Where a request comes from, as the audit log and sessions keep it.
    func origin(_ request: Request, _ context: RequestContext) -> Origin {
        let agent = (request[header: "user-agent"] ?? "").unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
        return Origin(
            address: trustedProxies.client(of: request, peer: context.peer.host),
            userAgent: String(String.UnicodeScalarView(agent.prefix(200))), requestID: context.requestID)
    }

    func entry(
        _ action: AuditAction, _ request: Request, _ context: RequestContext, on type: String, _ resource: String?,
        _ details: JSONObject = JSONObject()
    ) -> AuditEntry {
        AuditEntry(
            action, by: context.caller.subject, in: context.caller.organization, on: type, resource, details: details,
            from: origin(request, context))
    }
}
