/// Why a statement or a connection failed. Never holds the DSN, a bound value or a DETAIL line.
package struct PGError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No connection could be made; nothing was sent.
        case unavailable
        /// No answer within the deadline; see ``PGError/isAmbiguousCommit``.
        case timeout
        /// Postgres refused the statement; see ``PGError/sqlState``.
        case server
        /// A column is missing, is null, or is not of the type that was asked for.
        case decoding
        /// Every connection stayed in use for the acquire timeout, or too many callers wait.
        case poolExhausted
        /// The pool, connection or transaction was closed by us.
        case closed
        /// The connection was lost inside a transaction before COMMIT: nothing was committed.
        case connectionLost
        /// The connection was lost after a COMMIT or a single statement was sent: it may or may not have committed.
        case ambiguous
        /// The caller's task was cancelled; see ``PGError/isAmbiguousCommit``.
        case cancelled
        /// Refused before sending: a NUL in a text, too many or too large binds, or a DSN that can not be read.
        case invalid
    }

    package let code: Code
    package let message: String
    package private(set) var sqlState: SQLState?
    /// The violated constraint, when Postgres names one.
    package private(set) var constraint: String?
    /// Where in the statement's text, counted in characters from 1, when Postgres says so.
    package private(set) var position: Int?
    /// The session ended with this error (severity FATAL or PANIC).
    package private(set) var isFatal = false
    private var mayHaveCommitted = false

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Nobody answered, or the server refused us. In libpq's text a SQLSTATE stands between severity and message.
    init(connecting text: String) {
        code = .unavailable
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let index = parts.firstIndex { part in
            let word = part.drop { $0 == " " }
            return part.hasPrefix(" ") && word.utf8.count == 5 && word.contains(where: \.isNumber)
                && word.allSatisfy { $0.isASCII && ($0.isNumber || $0.isUppercase) }
        }
        guard let index else {
            message = text
            return
        }
        sqlState = SQLState(rawValue: String(parts[index].drop { $0 == " " }))
        message = (parts[..<index] + parts[(index + 1)...]).joined(separator: ":")
    }

    init(server message: String, sqlState: String?, constraint: String?, position: Int?, isFatal: Bool) {
        code = .server
        self.message = message
        self.sqlState = sqlState.map(SQLState.init(rawValue:))
        self.constraint = constraint
        self.position = position
        self.isFatal = isFatal
    }

    /// The statement or COMMIT was sent and its answer is unknown: it may or may not have taken effect.
    package var isAmbiguousCommit: Bool { mayHaveCommitted || code == .ambiguous }

    /// Nothing was committed, and the same work may succeed if it is tried again.
    package var isRetryable: Bool {
        guard !isAmbiguousCommit else { return false }
        switch code {
        case .unavailable, .poolExhausted, .connectionLost, .timeout: return true
        case .server: return isStaleStatement || sqlState?.isTransient ?? false
        case .decoding, .closed, .ambiguous, .cancelled, .invalid: return false
        }
    }

    package var description: String {
        var text = "postgres \(code.rawValue): \(message)"
        if let sqlState { text += " [\(sqlState)]" }
        if let constraint { text += " (constraint \(constraint))" }
        return text
    }

    /// The same error as seen by work that was under way; `sent` means it can no longer be called back.
    func whileRunning(commits: Bool) -> PGError {
        var error = self
        switch code {
        case .timeout, .cancelled:
            error.mayHaveCommitted = commits
        default:
            error = PGError(commits ? .ambiguous : .connectionLost, message)
            error.sqlState = sqlState
            error.isFatal = isFatal
        }
        return error
    }

    /// The server dropped or outgrew a prepared statement; preparing it anew is all it takes.
    var isStaleStatement: Bool {
        guard code == .server else { return false }
        return sqlState == .unknownStatementName
            || (sqlState == .featureNotSupported && message.hasPrefix("cached plan"))
    }
}
