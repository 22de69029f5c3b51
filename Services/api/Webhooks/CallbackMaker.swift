import Contracts
import Crypto
import Domain
import ServiceKit
import Storage
import Webhooks

/// Makes what a `webhook_url` asks for: checked, with a secret, sealed for its debate.
struct CallbackMaker: Sendable {
    let target: WebhookTarget
    /// What the ones without a secret of their own are signed with; made at the first that needs it.
    private(set) var newSecret: [UInt8]?

    init(target: WebhookTarget) { self.target = target }

    /// The new secret as the client is told it, once; nil when every wish had its own.
    var shown: String? { newSecret.map(WebhookSignature.text) }

    /// - Throws: `ValidationFailure`, or `not_configured` without an encryption key.
    mutating func make(_ wish: CallbackWish, for debate: DebateID) throws -> DebateCallback {
        let box = try target.sealing()
        try target.check(wish.url, field: "webhook_url")
        let address = CallbackAddress.Webhook(
            secret: try secret(wish), headers: wish.headers.map { ($0.name, $0.value) })
        return DebateCallback(
            channel: .webhook, target: wish.url,
            address: try box.seal(address.document, for: DebateCallback.purpose(debate.text, .webhook)))
    }

    private mutating func secret(_ wish: CallbackWish) throws -> [UInt8] {
        if let text = wish.secret { return try WebhookTarget.secret(text, field: "webhook_secret") }
        let secret = try newSecret ?? RandomBytes.make(WebhookTarget.newSecretBytes)
        newSecret = secret
        return secret
    }
}
