/// The header of a token of somebody else's, as far as it may say anything (RFC 7515 §4.1).
package struct SignedTokenHeader: Sendable {
    package let algorithm: String
    package let keyID: String?

    /// - Returns: nil when it is no object, names no algorithm, or brings a key or an extension that must be understood.
    package init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.object, let algorithm = object["alg"]?.string else {
            return nil
        }
        guard ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"].allSatisfy({ object[$0] == nil }) else { return nil }
        if let type = object["typ"] {
            guard type.string?.uppercased() == "JWT" else { return nil }
        }
        self.algorithm = algorithm
        if let id = object["kid"] {
            guard let text = id.string else { return nil }
            keyID = text
        } else {
            keyID = nil
        }
    }
}

/// Who a provider says somebody is: the claims of an ID token (OpenID Connect Core 1.0 §3.1.3.7), all of them checked.
package struct IDTokenClaims: Sendable {
    /// Why a token is refused, for our log.
    package enum Refusal: String, Error, Sendable, CaseIterable {
        case malformed, issuer, subject, audience, authorizedParty, expired, issuedAt, notYet, nonce, accessToken
    }

    /// What it must say.
    package struct Expected: Sendable {
        package let issuer: String
        package let client: String
        package let nonce: String
        /// Seconds since 1970.
        package let now: Int64

        package init(issuer: String, client: String, nonce: String, now: Int64) {
            self.issuer = issuer
            self.client = client
            self.nonce = nonce
            self.now = now
        }
    }

    /// By how much another machine's clock may differ.
    package static let leewaySeconds: Int64 = 60
    /// An ID token is looked at right after it was made.
    package static let maximumAgeSeconds: Int64 = 600
    package static let maximumSubject = 255

    package let subject: String
    package let identity: Identity
    /// Half the hash of the access token beside it; nil when it does not say.
    package let accessTokenHash: String?

    /// - Throws: ``Refusal``.
    package init(_ object: JSONObject, _ expected: Expected) throws(Refusal) {
        guard object["iss"]?.string == expected.issuer else { throw .issuer }
        guard let subject = object["sub"]?.string, !subject.isEmpty, subject.utf8.count <= Self.maximumSubject else {
            throw .subject
        }
        let audiences = object["aud"]?.string.map { [$0] } ?? object["aud"]?.array?.compactMap(\.string) ?? []
        guard audiences.contains(expected.client) else { throw .audience }
        let party = object["azp"]
        if audiences.count > 1 || party != nil {
            guard party?.string == expected.client else { throw .authorizedParty }
        }
        guard let expires = object["exp"]?.seconds, expires > expected.now - Self.leewaySeconds else { throw .expired }
        guard let issued = object["iat"]?.seconds, issued <= expected.now + Self.leewaySeconds,
            issued >= expected.now - Self.maximumAgeSeconds
        else { throw .issuedAt }
        if let start = object["nbf"] {
            guard let seconds = start.seconds, seconds <= expected.now + Self.leewaySeconds else { throw .notYet }
        }
        guard object["nonce"]?.string == expected.nonce else { throw .nonce }
        self.subject = subject
        identity = Identity(object)
        accessTokenHash = object["at_hash"]?.string
    }

    /// What is said of the person, in an ID token or at the userinfo endpoint.
    package struct Identity: Sendable {
        /// In lower case; nil unless it is there and looks like one.
        package let email: String?
        package let isEmailVerified: Bool
        package let name: String?

        package init(_ object: JSONObject) {
            let email = object["email"]?.string?.lowercased()
            self.email = email.flatMap { Self.isAddress($0) ? $0 : nil }
            // Some providers write it as a text.
            isEmailVerified = object["email_verified"]?.bool ?? (object["email_verified"]?.string == "true")
            let name = object["name"]?.string ?? object["preferred_username"]?.string
            self.name = name.map { text in
                String(
                    String.UnicodeScalarView(
                        text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(100)))
            }
        }

        /// The answer of a userinfo endpoint; nil when it is about somebody else.
        package init?(userInfo bytes: [UInt8], of subject: String) {
            guard let object = (try? JSONParser.parse(bytes))?.object, object["sub"]?.string == subject else {
                return nil
            }
            self.init(object)
        }

        private static func isAddress(_ text: String) -> Bool {
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && text.utf8.count <= 254
                && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace }
        }
    }
}

extension JSONValue {
    /// A time in seconds; some providers write fractions.
    var seconds: Int64? {
        if let int { return int }
        guard let double, double.isFinite, abs(double) < 1e12 else { return nil }
        return Int64(double)
    }
}
