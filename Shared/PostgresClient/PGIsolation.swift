/// How a transaction sees others, and whether it may write.
package enum PGIsolation: Sendable {
    case readCommitted
    case repeatableRead
    case serializable
    /// One snapshot for all reads.
    case readOnlySnapshot

    var begin: SQL {
        switch self {
        case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
        case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case .readOnlySnapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        }
    }
}
