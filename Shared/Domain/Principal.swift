/// What a request may be allowed to do. Every route declares one.
package enum Permission: String, Sendable, CaseIterable {
    case debatesCreate = "debates.create"
    case debatesRead = "debates.read"
    /// Cancel, pause, resume, remark.
    case debatesUpdate = "debates.update"
    case receiptsRead = "receipts.read"
    case exportRead = "export.read"
    case adminRead = "admin.read"
}

/// Who makes a request, and what they may do.
package struct Principal: Sendable, Hashable {
    package enum Role: String, Sendable, Hashable {
        case admin, member, viewer
    }

    /// Stable: idempotency keys, rate limits and records are kept per subject.
    package let subject: String
    package let role: Role
    /// The only debate this principal may touch; nil for all.
    package let debate: DebateID?
    /// When the credential ends; nil when it does not.
    package let expires: Timestamp?

    package init(subject: String, role: Role, debate: DebateID? = nil, expires: Timestamp? = nil) {
        self.subject = subject
        self.role = role
        self.debate = debate
        self.expires = expires
    }

    /// Everyone, on an installation that has no token and is not in production.
    package static let open = Principal(subject: "anonymous", role: .admin)

    /// Whether the role has the permission, and the scope covers the debate that is asked for. A scoped principal has
    /// no access to what is not one debate (lists, creation, administration).
    package func may(_ permission: Permission, debate asked: DebateID? = nil) -> Bool {
        if let debate, debate != asked { return false }
        switch role {
        case .admin: return true
        case .member: return permission != .adminRead
        case .viewer: return [.debatesRead, .receiptsRead, .exportRead].contains(permission)
        }
    }
}
