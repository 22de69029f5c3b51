/// Why a schema is not what this program needs, or could not be brought there.
package struct MigrationError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// A file's name is not `<number>_<name>.sql`, or two have one number.
        case malformed
        /// An applied migration's text is not the one this program has.
        case checksumMismatch
        /// The schema has migrations this program does not know, and they are not marked compatible.
        case schemaIsNewer
        /// A migration older than an applied one was never applied.
        case outOfOrder
        /// Another process migrates, and did not finish in time.
        case lockTimeout
        /// Postgres refused a migration; nothing of it remains, unless it is marked no-transaction.
        case failed
    }

    package let code: Code
    package let message: String
    /// What Postgres said, for `.failed`.
    package let cause: PGError?

    init(_ code: Code, _ message: String, cause: PGError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "migration \(code.rawValue): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}
