/// Why a backup was not made, or is not trusted, or was not restored.
package struct BackupError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Another run holds the lock.
        case busy
        /// Postgres can not be reached, or a child process can not be started.
        case unavailable
        /// What no retry mends: a program older than the server, a role without CREATEDB.
        case unsuitable
        /// A program of Postgres's ended with an error.
        case toolFailed = "tool_failed"
        /// The file is not a whole dump, or not the one its manifest describes.
        case damaged
        /// What was restored differs from what was dumped.
        case unequal
        /// The target of a restore holds data, or is in use.
        case targetInUse = "target_in_use"
        /// The folder can not be read or written.
        case files
        /// The run was told to stop.
        case cancelled
    }

    package let code: Code
    /// For the operator; never holds a password.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "backup \(code.rawValue): \(message)" }
}
