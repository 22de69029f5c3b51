/// Bytes from a queue, a cache, a file or a row that are not of the contract's form.
package struct ContractError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not the form at all: too short, not JSON, a field missing or of another type.
        case malformed
        /// The form of a version we do not know.
        case unknownVersion
        /// Over a named limit.
        case tooLarge
    }

    package let code: Code
    /// For our logs.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
