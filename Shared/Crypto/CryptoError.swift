/// A failure of this module: the library refused, or key or token text was not what it must be.
package struct CryptoError: Error, Sendable, CustomStringConvertible {
    /// Stable reasons, for tests and for mapping.
    package enum Code: String, Sendable {
        /// OpenSSL answered an error, or the kernel gave no randomness.
        case libraryFailure
        /// The text of a key is empty or too short.
        case invalidKey
        /// A sealed secret does not open with these keys, for this purpose.
        case unreadable
    }

    package let code: Code
    /// For our logs; never holds key material.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
