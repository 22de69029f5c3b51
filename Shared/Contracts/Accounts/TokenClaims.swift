package import Domain

/// What the tokens of a session say (contract §2.2).
package struct TokenClaims: Sendable, Equatable {
    package static let issuer = "aragora"
    package static let audience = "aragora-api"

    /// What a token is good for; one kind is never taken for another.
    package enum Kind: String, Sendable {
        case access, refresh
        /// The password was right, the second factor is missing.
        case pending = "mfa_pending"
    }

    package let kind: Kind
    package let user: UserID
    package let email: String
    package let organization: OrganizationID
    package let role: Role
    /// The session; of a pending token, the one that it may begin.
    package let session: SessionID
    /// Of a refresh token: which of its session it is.
    package let generation: Int64
    /// The user's token version.
    package let version: Int64
    /// Names this one token.
    package let id: String
    /// Seconds since 1970.
    package let issuedAt: Int64
    package let expires: Int64

    package init(
        kind: Kind, user: UserID, email: String, organization: OrganizationID, role: Role, session: SessionID,
        generation: Int64, version: Int64, id: String, issuedAt: Int64, expires: Int64
    ) {
        self.kind = kind
        self.user = user
        self.email = email
        self.organization = organization
        self.role = role
        self.session = session
        self.generation = generation
        self.version = version
        self.id = id
        self.issuedAt = issuedAt
        self.expires = expires
    }

    package var json: JSONObject {
        JSONObject([
            ("iss", .string(Self.issuer)), ("aud", .string(Self.audience)), ("type", .string(kind.rawValue)),
            ("sub", .string(user.text)), ("email", .string(email)), ("org_id", .string(organization.text)),
            ("role", .string(role.rawValue)), ("sid", .string(session.text)), ("gen", .int(generation)),
            ("tv", .int(version)), ("jti", .string(id)), ("iat", .int(issuedAt)), ("nbf", .int(issuedAt)),
            ("exp", .int(expires)),
        ])
    }

    /// Why signed claims are not taken.
    package enum Refusal: Error, Sendable, Equatable {
        case invalid, expired
    }

    /// Every claim is required and checked.
    /// - Parameters:
    ///   - kind: the only kind that is taken here.
    ///   - now: seconds since 1970.
    ///   - leeway: seconds by which another machine's clock may be ahead.
    package init(_ object: JSONObject, kind: Kind, now: Int64, leeway: Int64) throws(Refusal) {
        guard object["iss"]?.string == Self.issuer, object["aud"]?.string == Self.audience,
            object["type"]?.string == kind.rawValue,
            let user = object["sub"]?.string.flatMap(UserID.init), let email = object["email"]?.string,
            let organization = object["org_id"]?.string.flatMap(OrganizationID.init),
            let role = object["role"]?.string.flatMap(Role.init(rawValue:)),
            let session = object["sid"]?.string.flatMap(SessionID.init),
            case .int(let generation) = object["gen"], case .int(let version) = object["tv"],
            let id = object["jti"]?.string, !id.isEmpty,
            case .int(let issuedAt) = object["iat"], case .int(let notBefore) = object["nbf"],
            case .int(let expires) = object["exp"]
        else { throw .invalid }
        guard issuedAt <= now + leeway, notBefore <= now + leeway, issuedAt <= expires else { throw .invalid }
        guard now < expires else { throw .expired }
        self.init(
            kind: kind, user: user, email: email, organization: organization, role: role, session: session,
            generation: generation, version: version, id: id, issuedAt: issuedAt, expires: expires)
    }
}
