package import Domain

/// A user as it is stored.
package struct UserRecord: Sendable {
    package let id: UserID
    package let email: String
    package let name: String
    /// Nil for who has no password.
    package let passwordHash: String?
    package let organization: OrganizationID
    package let role: Role
    package let isActive: Bool
    package let isEmailVerified: Bool
    package let tokenVersion: Int64
    package let secondFactor: SecondFactor
    package let hasAPIKey: Bool
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    package let lastLoginAt: Timestamp?

    /// A user's one-time passwords.
    package struct SecondFactor: Sendable {
        package let isEnabled: Bool
        /// Sealed; nil before it was set up.
        package let secret: [UInt8]?
        package let lastStep: Int64?
        /// Digests of the codes that are left.
        package let backupCodes: [[UInt8]]
    }
}

/// An organization as it is stored.
package struct OrganizationRecord: Sendable {
    package let id: OrganizationID
    package let name: String
    package let slug: String
    package let createdAt: Timestamp
}

/// One sign-in.
package struct SessionRecord: Sendable {
    package let id: SessionID
    package let user: UserID
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp
    package let expiresAt: Timestamp
    package let address: String
    package let userAgent: String
}

/// An API key as it is shown: never the key.
package struct APIKeyRecord: Sendable {
    package let id: APIKeyID
    package let user: UserID
    package let name: String
    package let prefix: String
    /// Nil for all that the user may.
    package let scopes: Set<Permission>?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp?
    package let lastUsedAt: Timestamp?
}

/// Where a request that changes an account came from.
package struct Origin: Sendable {
    package let address: String
    package let userAgent: String
    package let requestID: String

    package init(address: String, userAgent: String, requestID: String) {
        self.address = address
        self.userAgent = userAgent
        self.requestID = requestID
    }
}
