/// Why a Redis command has no result. Carries no arguments and no secret.
package struct RedisError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// There is no connection now; one is being made in the background.
        case unavailable
        /// No reply in time. The command may have run.
        case timedOut
        /// The connection ended before the reply. The command may have run.
        case disconnected
        /// Redis refused the password or the user.
        case authentication
        /// Redis answered with an error; its first word is in ``RedisError/serverCode``.
        case refused
        /// A reply of a form the command does not have.
        case unexpectedReply
        /// Bytes that are not RESP, or a reply over a named limit.
        case protocolViolation
        /// Too many commands wait for a reply.
        case overloaded
        /// The URL can not be used.
        case configuration
        /// We closed the connection, or the task was cancelled.
        case closed
    }

    package let code: Code
    package let message: String
    /// The first word of Redis's own error ("NOGROUP", "WRONGTYPE"); empty otherwise.
    package let serverCode: String

    package init(_ code: Code, _ message: String, serverCode: String = "") {
        self.code = code
        self.message = message
        self.serverCode = serverCode
    }

    /// An error reply.
    package init(reply: String) {
        self.init(.refused, reply, serverCode: String(reply.prefix { $0 != " " }))
    }

    package var description: String { "redis \(code.rawValue): \(message)" }
}
