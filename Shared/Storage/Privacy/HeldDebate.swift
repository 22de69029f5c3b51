package import Domain
import PostgresClient

/// Whose data is meant.
package enum DataSubject: Sendable, Hashable {
    case debate(DebateID)
    /// A principal: who created a debate, by the name a token or a user has.
    case user(String)
    case organization(String)

    /// The condition on `debates d`.
    var condition: SQL {
        switch self {
        case .debate(let id): "d.id = \(id)"
        case .user(let name): "(d.created_by = \(name) OR d.user_id = \(name))"
        case .organization(let name): "d.org_id = \(name)"
        }
    }
}

/// A debate of somebody, as an export or an erasure needs to know it.
package struct HeldDebate: Sendable, Hashable {
    package let id: DebateID
    package let status: DebateStatus
    package let events: Int64
    package let isErased: Bool
    /// Its receipt may not be changed: somebody has to keep it.
    package let isOnLegalHold: Bool
    /// Whether its receipt is signed, so that the erased one must be signed too.
    package let isSigned: Bool

    static let columns = """
        d.id, r.status, r.last_seq, d.erased_at IS NOT NULL AS is_erased, coalesce(c.legal_hold, false) AS on_hold, \
        coalesce(c.is_signed, false) AS is_signed
        """
    static let tables = "\(DebateRows.tables) LEFT JOIN receipts c ON c.debate_id = d.id"

    init(_ row: Row) throws(PGError) {
        id = try row.debateID("id")
        status = try row.status("status")
        events = try row.int64("last_seq")
        isErased = try row.bool("is_erased")
        isOnLegalHold = try row.bool("on_hold")
        isSigned = try row.bool("is_signed")
    }
}

/// What a person did in a debate of somebody else: a remark, a pause, a resumption.
package struct ForeignEvent: Sendable, Hashable {
    package let debate: DebateID
    package let seq: Int64
}
