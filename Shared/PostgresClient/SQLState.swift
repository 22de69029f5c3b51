/// A five-character SQLSTATE (PostgreSQL manual, appendix A).
package struct SQLState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }

    package static let notNullViolation = SQLState(rawValue: "23502")
    package static let foreignKeyViolation = SQLState(rawValue: "23503")
    package static let uniqueViolation = SQLState(rawValue: "23505")
    package static let checkViolation = SQLState(rawValue: "23514")
    package static let inFailedTransaction = SQLState(rawValue: "25P02")
    package static let idleInTransactionTimeout = SQLState(rawValue: "25P03")
    package static let unknownStatementName = SQLState(rawValue: "26000")
    package static let invalidAuthorization = SQLState(rawValue: "28000")
    package static let invalidPassword = SQLState(rawValue: "28P01")
    package static let unknownDatabase = SQLState(rawValue: "3D000")
    package static let serializationFailure = SQLState(rawValue: "40001")
    package static let deadlockDetected = SQLState(rawValue: "40P01")
    package static let syntaxError = SQLState(rawValue: "42601")
    package static let undefinedTable = SQLState(rawValue: "42P01")
    package static let insufficientPrivilege = SQLState(rawValue: "42501")
    package static let tooManyConnections = SQLState(rawValue: "53300")
    package static let objectInUse = SQLState(rawValue: "55006")
    package static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// Also what `statement_timeout` ends a statement with.
    package static let queryCanceled = SQLState(rawValue: "57014")
    package static let adminShutdown = SQLState(rawValue: "57P01")
    package static let divisionByZero = SQLState(rawValue: "22012")
    package static let featureNotSupported = SQLState(rawValue: "0A000")

    /// Running the same transaction again may succeed: conflicts, lack of resources, an operator's intervention.
    package var isTransient: Bool {
        switch self {
        case .serializationFailure, .deadlockDetected, .lockNotAvailable, .idleInTransactionTimeout,
            .unknownStatementName:
            true
        default:
            rawValue.hasPrefix("08") || rawValue.hasPrefix("53") || rawValue.hasPrefix("57P")
        }
    }
}
