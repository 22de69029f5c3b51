package import PostgresClient

/// Why the store did not do what was asked of it.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Postgres did not answer. A write may or may not have happened; each method says what to do then.
        case unavailable
        /// What is stored contradicts itself, or a closure made events that do not fit: a bug. Raise an alarm.
        case broken
    }

    package let code: Code
    /// For our log.
    package let message: String
    package let underlying: PGError?

    package init(_ code: Code, _ message: String, underlying: PGError? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// Nothing that Postgres refuses is expected here, so a refusal that would come again is a bug of ours.
    init(_ error: PGError, _ what: String) {
        self.init(error.meansBug ? .broken : .unavailable, "\(what): \(error)", underlying: error)
    }

    package var description: String { "storage \(code.rawValue): \(message)" }
}

extension PGError {
    /// The same statement would be refused again.
    var meansBug: Bool {
        switch code {
        case .server: !isRetryable && sqlState != .queryCanceled
        case .decoding, .invalid: true
        case .unavailable, .timeout, .poolExhausted, .closed, .connectionLost, .ambiguous, .cancelled: false
        }
    }
}
