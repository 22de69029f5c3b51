/// Who makes a request, and what they may do.
package struct Principal: Sendable, Hashable {
    /// Which credential spoke, so that it can be revoked and looked at again.
    package enum Credential: Sendable, Hashable {
        /// None was needed.
        case none
        /// The service token itself.
        case service
        /// A signed token; the SHA-256 of its text in hex.
        case signed(digest: String)
        /// An access token of a session.
        case session(SessionID)
        case apiKey(APIKeyID)
    }

    /// Stable: idempotency keys, rate limits and records are kept per subject.
    package let subject: String
    package let role: Role
    /// Whose objects are seen, and who owns what is made.
    package let organization: OrganizationID
    /// The person behind the credential; nil for the installation's own tokens.
    package let user: UserID?
    /// What a key was made for, of what its role may; nil for all of it.
    package let scopes: Set<Permission>?
    /// The only debate this principal may touch; nil for all.
    package let debate: DebateID?
    /// When the credential ends; nil when it does not.
    package let expires: Timestamp?
    package let credential: Credential
    /// The user's token version when the credential was made; a higher one revokes it.
    package let version: Int64
    /// An administrator without the second factor that this installation demands: may see to that, and nothing else.
    package var needsSecondFactor = false

    package init(
        subject: String, role: Role, organization: OrganizationID = .default, user: UserID? = nil,
        scopes: Set<Permission>? = nil, debate: DebateID? = nil, expires: Timestamp? = nil,
        credential: Credential = .none, version: Int64 = 0
    ) {
        self.subject = subject
        self.role = role
        self.organization = organization
        self.user = user
        self.scopes = scopes
        self.debate = debate
        self.expires = expires
        self.credential = credential
        self.version = version
    }

    /// Everyone, on an installation that has no token and is not in production.
    package static let open = Principal(subject: "anonymous", role: .admin)

    /// Whether this is the installation itself rather than a person: its tokens see every organization, because
    /// operators use them to look after all.
    package var isInstallation: Bool {
        guard user == nil, role == .admin, debate == nil else { return false }
        return true
    }

    /// What this principal's reads are confined to.
    package var reach: Reach { isInstallation || debate != nil ? .installation : .organization(organization) }

    /// Whether the role has the permission, and the scope covers the debate that is asked for. A scoped principal has
    /// no access to what is not one debate (lists, creation, administration).
    package func may(_ permission: Permission, debate asked: DebateID? = nil) -> Bool {
        if let debate, debate != asked { return false }
        if needsSecondFactor && permission != .accountManage { return false }
        if let scopes, !scopes.contains(permission) { return false }
        if permission.concernsInstallation && organization != .default { return false }
        return role.permissions.contains(permission)
    }

    /// Whether this principal may change what `owner` made: administrators may, others only what is theirs.
    /// - Parameters:
    ///   - owner: the user who made it; nil when no user did.
    ///   - subject: the subject that made it.
    package func mayChange(ownedBy owner: UserID?, subject: String) -> Bool {
        if role == .admin || debate != nil { return true }
        if let user { return user == owner }
        return subject == self.subject
    }
}

/// Whose objects a read may find. Everything that lists or finds takes one, and Storage makes a condition of it.
package enum Reach: Sendable, Hashable {
    /// All: the installation's own tokens, and jobs of ours.
    case installation
    case organization(OrganizationID)

    package func covers(_ organization: OrganizationID?) -> Bool {
        switch self {
        case .installation: true
        case .organization(let own): (organization ?? .default) == own
        }
    }
}
