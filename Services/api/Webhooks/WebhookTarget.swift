import Contracts
import Crypto
import Domain
import HTTPClient
import ServiceKit
import Sockets
import Webhooks

/// What is judged of a receiver before anything is stored, the same for webhooks and for `webhook_url`.
struct WebhookTarget: Sendable {
    static let newSecretBytes = 32

    /// Seals secrets; nil when no encryption key is set.
    let box: SecretBox?
    let addresses: AddressPolicy

    func sealing() throws(APIError) -> SecretBox {
        guard let box else {
            throw APIError(
                .notConfigured, "Webhooks need an encryption key for their secrets.",
                suggestion:
                    "set ARAGORA_ENCRYPTION_KEY to 64 hex digits (openssl rand -hex 32) for the API and the workers"
            )
        }
        return box
    }

    /// What is an address already is judged at once; what a name leads to, when it is connected to.
    func check(_ url: String, field: String = "url") throws(ValidationFailure) {
        let authority = url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { !"/?#".contains($0) }
        let host =
            authority.hasPrefix("[")
            ? String(authority.dropFirst().prefix { $0 != "]" }) : String(authority.prefix { $0 != ":" })
        guard let address = IPAddressText.bytes(host), !addresses.permits(address) else { return }
        throw ValidationFailure([
            FieldProblem(field, "is not a public address; an operator can allow it (ARAGORA_WEBHOOK_ALLOWED_ADDRESSES)")
        ])
    }

    static func secret(_ text: String, field: String = "secret") throws(ValidationFailure) -> [UInt8] {
        guard let secret = WebhookSignature.secret(text, in: WebhookRequest.secretBytes) else {
            throw ValidationFailure([FieldProblem(field, "must be whsec_ and base 64 of 24 to 64 bytes")])
        }
        return secret
    }
}
