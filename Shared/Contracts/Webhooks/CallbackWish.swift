/// Where the one who asks for a debate, or for a batch, is to be told of the end: `webhook_url` and what belongs to it.
package struct CallbackWish: Sendable, Equatable {
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package let url: String
    /// Sent with each delivery, in this order.
    package let headers: [Header]
    /// The text `whsec_…` as it was given.
    package let secret: String?

    /// What `webhook_url`, `webhook_headers` and `webhook_secret` say; nil without the first.
    static func read(_ fields: inout RequestFields) -> CallbackWish? {
        let url = WebhookRequest.address("webhook_url", &fields)
        let headers = WebhookRequest.headers("webhook_headers", &fields) ?? []
        let secret = fields.string("webhook_secret")
        guard let url else {
            for name in ["webhook_headers", "webhook_secret"] where fields.value("webhook_url") == nil {
                if let (field, _) = fields.value(name) { fields.refuse(field, "belongs to a webhook_url") }
            }
            return nil
        }
        return CallbackWish(
            url: url, headers: headers.map { Header(name: $0.name, value: $0.value) }, secret: secret?.text)
    }
}
