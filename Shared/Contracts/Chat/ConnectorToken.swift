/// What the Bot Connector says of itself in its OpenID metadata: where its keys are.
package struct ConnectorMetadata: Sendable {
    /// Who signs what comes from the Bot Connector.
    package static let issuer = "https://api.botframework.com"

    package let keySet: String

    /// - Returns: nil for what is none, or somebody else's.
    package init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.object, object["issuer"]?.string == Self.issuer,
            let keys = object["jwks_uri"]?.string
        else { return nil }
        keySet = keys
    }
}

/// The claims of a token that comes with an activity, all of them checked.
package struct ConnectorClaims: Sendable {
    package enum Refusal: String, Error, Sendable { case issuer, audience, tenant, expired, notYet, service }

    /// By how much another machine's clock may differ, as the Bot Framework has it.
    package static let leewaySeconds: Int64 = 300

    /// Where the activity says that it is answered.
    package let service: String

    /// - Parameters:
    ///   - app: what the token must be for.
    ///   - tenant: whose it must be where it says so, in lower case; the connector's name none today.
    ///   - now: seconds since 1970.
    package init(_ object: JSONObject, app: String, tenant: String, now: Int64) throws(Refusal) {
        guard object["iss"]?.string == ConnectorMetadata.issuer else { throw .issuer }
        let audiences = object["aud"]?.string.map { [$0] } ?? object["aud"]?.array?.map { $0.string ?? "" } ?? []
        guard audiences == [app] else { throw .audience }
        if let named = object["tid"] {
            guard named.string?.lowercased() == tenant else { throw .tenant }
        }
        guard let expires = object["exp"]?.seconds, expires > now - Self.leewaySeconds else { throw .expired }
        if let start = object["nbf"] {
            guard let seconds = start.seconds, seconds <= now + Self.leewaySeconds else { throw .notYet }
        }
        guard let service = object["serviceurl"]?.string, !service.isEmpty else { throw .service }
        self.service = service
    }
}

/// What Microsoft's login answers to our app's password.
package struct AppToken: Sendable {
    package let text: String
    package let lifeSeconds: Int64

    /// The form that asks for it: pairs that are yet to be encoded.
    package static func form(app: String, password: String) -> [(String, String)] {
        [
            ("grant_type", "client_credentials"), ("client_id", app), ("client_secret", password),
            ("scope", ConnectorMetadata.issuer + "/.default"),
        ]
    }

    package init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.object, let text = object["access_token"]?.string,
            !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        self.text = text
        lifeSeconds = object["expires_in"]?.seconds ?? 300
    }
}
