/// Why bytes could not be compressed or decompressed.
package struct CompressionError: Error, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// zlib has no memory for its window.
        case noMemory
        /// The bytes are not of the format, or were altered.
        case damaged
        /// More text than the caller takes.
        case tooLong
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
