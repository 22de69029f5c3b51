/// Makes and checks ids: a prefix and 26 time-ordered characters (docs/adr: id form).
///
/// The body is a ULID: 48 bits of milliseconds since 1970 and 80 random bits in lowercase Crockford base 32, so ids sort
/// by time in collation "C".
package enum Identifier {
    package static let bodyLength = 26
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let isOfAlphabet = (0...255).map { alphabet.contains($0) }

    /// - Parameter random: 10 bytes from the system's generator.
    package static func make(prefix: String, milliseconds: Int64, random: [UInt8]) -> String {
        precondition(random.count == 10, "an id takes exactly 10 random bytes")
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * $0)) }
        bytes.append(contentsOf: random)
        var out = Array(prefix.utf8)
        // 128 bits in 26 characters of 5: the first carries the top 3 bits.
        for index in 0..<bodyLength {
            var value = 0
            for bit in 0..<5 {
                let position = index * 5 + bit - 2
                value = value << 1 | (position < 0 ? 0 : Int(bytes[position / 8] >> (7 - position % 8)) & 1)
            }
            out.append(alphabet[value])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Whether `text` is `prefix` followed by a well-formed body.
    package static func isValid(_ text: String, prefix: String) -> Bool {
        guard text.utf8.count == prefix.utf8.count + bodyLength, text.utf8.starts(with: prefix.utf8) else {
            return false
        }
        let body = text.utf8.dropFirst(prefix.utf8.count)
        return body.first.map { $0 <= 0x37 } == true && body.allSatisfy { isOfAlphabet[Int($0)] }
    }
}

/// A debate's id, `dbt_…`.
package struct DebateID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "dbt_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "dbt_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
    package static func < (left: DebateID, right: DebateID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// One start of one process that runs debates, `run_…`; never used again after it ends.
package struct RunnerID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "run_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "run_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

/// A receipt's id, `rcp_…`.
package struct ReceiptID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "rcp_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "rcp_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

/// The id of debates that were asked for together, `bat_…`.
package struct BatchID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "bat_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "bat_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}
