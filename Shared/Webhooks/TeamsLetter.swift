import Contracts
import Domain
import HTTP
import HTTPClient
import Platform
import Storage

/// Into a conversation in Teams, by the Bot Connector.
struct TeamsLetter: Letter {
    let address: CallbackAddress.Teams
    let notice: ChatNotice
    /// Our app's, for the Bot Connector alone.
    let token: String

    func request(_ delivery: WebhookDelivery) -> HTTPClientRequest {
        let service = address.service.hasSuffix("/") ? String(address.service.dropLast()) : address.service
        return HTTPClientRequest(
            method: "POST",
            url: service + "/v3/conversations/" + PercentCoding.encode(address.conversation) + "/activities",
            headers: ["Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer \(token)"],
            body: CanonicalJSON.encode(TeamsMessage.body(notice, to: address)),
            maxResponseBytes: WebhookCourier.maxResponseBytes)
    }

    func read(_ reply: HTTPClientReply, to delivery: WebhookDelivery) -> LetterResult {
        let reason = "the Bot Connector answered \(reply.status)"
        switch reply.status {
        case 200...299: return .taken
        // Another token, a pause, or luck may cure these.
        case 401, 408, 412, 429: return .failed(reason)
        case 400...499: return .refused(reason)
        default: return .failed(reason)
        }
    }
}
