import Contracts
import HTTPClient
import Platform
import Storage

/// As webhooks have it: signed, any 2xx is enough.
struct WebhookLetter: Letter {
    let address: CallbackAddress.Webhook

    func request(_ delivery: WebhookDelivery) -> HTTPClientRequest {
        let now = WallClock.nowMilliseconds() / 1000
        var fields: HTTPClientHeaders = [
            "Content-Type": "application/json", "webhook-id": delivery.message, "webhook-timestamp": String(now),
            "webhook-signature": WebhookSignature.sign(
                delivery.body, message: delivery.message, timestamp: now, secret: address.secret),
        ]
        for header in address.headers { fields.append(header.name, header.value) }
        return HTTPClientRequest(
            method: "POST", url: delivery.url, headers: fields, body: delivery.body,
            maxResponseBytes: WebhookCourier.maxResponseBytes)
    }

    func read(_ reply: HTTPClientReply, to delivery: WebhookDelivery) -> LetterResult {
        switch reply.status {
        case 200...299: .taken
        case 410: .refused("the receiver says 410: gone for good")
        default: .failed("the receiver answered \(reply.status)")
        }
    }
}
