/// What a member of an organization is there for. What each may do is a table, see ``permissions``.
package enum Role: String, Sendable, Hashable, CaseIterable {
    case admin, member, viewer

    /// The role of this name, or the one that an older name stands for.
    package init?(named name: String) {
        let name = name.lowercased()
        guard let role = Role(rawValue: name) ?? Self.aliases[name] else { return nil }
        self = role
    }

    /// Names that older clients use.
    package static let aliases: [String: Role] = [
        "owner": .admin,
        "debate_creator": .member, "team_lead": .member, "developer": .member,
        "analyst": .viewer, "compliance_officer": .viewer, "ops_reviewer": .viewer,
    ]

    /// Everything this role may do in its organization.
    package var permissions: Set<Permission> {
        switch self {
        case .admin: Self.administrators
        case .member: Self.members
        case .viewer: Self.viewers
        }
    }

    /// One sentence for people who give roles.
    package var about: String {
        switch self {
        case .admin: "Everything in the organization; of the default organization also the installation."
        case .member: "Asks for debates, changes its own, reads those of the organization."
        case .viewer: "Reads the debates and receipts of the organization."
        }
    }

    private static let administrators = Set(Permission.allCases)
    private static let members = Set(Permission.allCases.filter { !$0.isForAdministrators })
    private static let viewers: Set<Permission> = Set(Permission.allCases.filter(\.isReading))
}
