/// What an OpenID provider says of itself at `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3).
package struct ProviderMetadata: Sendable, Hashable {
    package static let path = "/.well-known/openid-configuration"

    package let issuer: String
    package let authorizationEndpoint: String
    package let tokenEndpoint: String
    package let userInfoEndpoint: String?
    package let keySet: String
    package let endSessionEndpoint: String?
    /// What ID tokens may be signed with.
    package let algorithms: [String]
    /// How a client may prove itself at the token endpoint; without it `client_secret_basic`.
    package let clientAuthentication: [String]
    /// Whether answers say who they are from (RFC 9207).
    package let sendsIssuer: Bool

    /// - Returns: nil when a member that is needed is missing, or none.
    package init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.object, let issuer = object["issuer"]?.string,
            let authorization = object["authorization_endpoint"]?.string, let token = object["token_endpoint"]?.string,
            let keys = object["jwks_uri"]?.string
        else { return nil }
        func list(_ name: String) -> [String]? { object[name]?.array?.compactMap(\.string) }
        self.issuer = issuer
        authorizationEndpoint = authorization
        tokenEndpoint = token
        userInfoEndpoint = object["userinfo_endpoint"]?.string
        keySet = keys
        endSessionEndpoint = object["end_session_endpoint"]?.string
        algorithms = list("id_token_signing_alg_values_supported") ?? ["RS256"]
        clientAuthentication = list("token_endpoint_auth_methods_supported") ?? ["client_secret_basic"]
        sendsIssuer = object["authorization_response_iss_parameter_supported"]?.bool ?? false
    }

    /// Every address that we go to by ourselves.
    package var endpoints: [String] { [tokenEndpoint, keySet] + (userInfoEndpoint.map { [$0] } ?? []) }
}

/// A key of a JSON Web Key Set (RFC 7517), of the kinds that are taken.
package struct PublishedKey: Sendable, Hashable {
    package enum Material: Sendable, Hashable {
        /// Base 64 as it stands there.
        case rsa(modulus: String, exponent: String)
        case p256(x: String, y: String)
    }

    package let id: String?
    package let material: Material
    /// The channels of the Bot Framework that it may speak for; empty where that is not said.
    package let endorsements: [String]

    package init(id: String?, material: Material, endorsements: [String] = []) {
        self.id = id
        self.material = material
        self.endorsements = endorsements
    }

    /// The most keys of a set that are looked at.
    package static let maximum = 64

    /// Keys for signatures in a set; others are left out. Nil when it is no set.
    package static func set(_ bytes: [UInt8]) -> [PublishedKey]? {
        guard let keys = (try? JSONParser.parse(bytes))?.object?["keys"]?.array else { return nil }
        return keys.prefix(maximum).compactMap { key in
            guard let object = key.object, object["use"]?.string ?? "sig" == "sig" else { return nil }
            let algorithm = object["alg"]?.string
            let endorsements = object["endorsements"]?.array?.compactMap(\.string) ?? []
            func text(_ name: String) -> String? { object[name]?.string }
            switch text("kty") {
            case "RSA":
                guard algorithm ?? "RS256" == "RS256", let n = text("n"), let e = text("e") else { return nil }
                return PublishedKey(
                    id: text("kid"), material: .rsa(modulus: n, exponent: e), endorsements: endorsements)
            case "EC":
                guard algorithm ?? "ES256" == "ES256", text("crv") == "P-256", let x = text("x"), let y = text("y")
                else { return nil }
                return PublishedKey(id: text("kid"), material: .p256(x: x, y: y))
            default: return nil
            }
        }
    }
}

/// What a token endpoint answers to a code.
package struct CodeAnswer: Sendable {
    package let idToken: String
    package let accessToken: String?

    package init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.object, let token = object["id_token"]?.string else {
            return nil
        }
        idToken = token
        accessToken = object["access_token"]?.string
    }
}
