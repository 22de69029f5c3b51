/// One command: its name and arguments, as bytes that may be anything.
package struct RedisCommand: Sendable {
    /// RESP2's array of bulk strings.
    let encoded: [UInt8]

    /// - Parameter words: the name and the leading arguments, each one word.
    package init(_ words: String..., arguments: [[UInt8]] = []) {
        self.init(words: words, arguments: arguments)
    }

    package init(words: [String], arguments: [[UInt8]] = []) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.reduce(16) { $0 + $1.utf8.count + 16 } + arguments.reduce(0) { $0 + $1.count + 16 })
        Self.append("*", words.count + arguments.count, to: &bytes)
        for word in words {
            Self.append("$", word.utf8.count, to: &bytes)
            bytes.append(contentsOf: word.utf8)
            bytes.append(contentsOf: [0x0D, 0x0A])
        }
        for argument in arguments {
            Self.append("$", argument.count, to: &bytes)
            bytes.append(contentsOf: argument)
            bytes.append(contentsOf: [0x0D, 0x0A])
        }
        encoded = bytes
    }

    private static func append(_ mark: Unicode.Scalar, _ count: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: mark))
        bytes.append(contentsOf: String(count).utf8)
        bytes.append(contentsOf: [0x0D, 0x0A])
    }
}
