import Crypto
import Domain
import Storage

/// A link in force: what it shows, and until when.
struct SharedLink: Sendable, Equatable {
    /// The SHA-256 of its token: all that anybody keeps.
    let digest: [UInt8]
    let debate: DebateID
    let expires: Timestamp

    /// Who comes by it: may read this one debate and nothing else.
    var principal: Principal {
        Principal(subject: "link", role: .viewer, debate: debate, expires: expires)
    }
}

/// The links that were made, as the gateway asks about them.
protocol LinkSource: Sendable {
    /// The link of a token; nil for one that never was, was revoked or has expired.
    func link(of digest: [UInt8]) async throws -> SharedLink?
    /// Those of these that are in force.
    func inForce(_ digests: [[UInt8]]) async throws -> Set<[UInt8]>
}

/// In Postgres.
struct PostgresLinkSource: LinkSource {
    let shares: ShareStore

    func link(of digest: [UInt8]) async throws -> SharedLink? {
        try await shares.find(digest).map { SharedLink(digest: digest, debate: $0.debate, expires: $0.expiresAt) }
    }

    func inForce(_ digests: [[UInt8]]) async throws -> Set<[UInt8]> { try await shares.inForce(digests) }
}
