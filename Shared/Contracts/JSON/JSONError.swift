/// Bytes that are not the JSON we take.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// More bytes than the caller allows.
        case tooLarge
        /// Nested deeper than ``JSONParser/maximumDepth``.
        case tooDeep
        /// Against the grammar of RFC 8259.
        case syntax
        /// Not UTF-8.
        case encoding
        /// A key that its object already has.
        case duplicateKey
        /// A number beyond ±(2^53 − 1), which not every reader keeps.
        case numberRange
    }

    package let code: Code
    /// Where in the bytes, from 0.
    package let offset: Int
    /// A sentence a user may read.
    package let message: String

    package var description: String { "\(message) at byte \(offset)" }
}
