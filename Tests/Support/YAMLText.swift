package import Contracts

/// JSON written as YAML 1.2 in block style, as people read it. Only what can not be mistaken is left without quotes.
package enum YAMLText {
    package static func write(_ value: JSONValue) -> String { block(value, depth: 0).joined(separator: "\n") + "\n" }

    private static func block(_ value: JSONValue, depth: Int) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty:
            object.members.flatMap { entry("\(key($0.key)):", $0.value, depth: depth) }
        case .array(let items) where !items.isEmpty:
            items.flatMap { item -> [String] in
                var lines = block(item, depth: depth + 1)
                let pad = indent(depth + 1)
                lines[0] = indent(depth) + "- " + lines[0].dropFirst(pad.count)
                return lines
            }
        default: [indent(depth) + scalar(value)]
        }
    }

    private static func entry(_ key: String, _ value: JSONValue, depth: Int) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty: [indent(depth) + key] + block(value, depth: depth + 1)
        case .array(let items) where !items.isEmpty: [indent(depth) + key] + block(value, depth: depth + 1)
        default: ["\(indent(depth))\(key) \(scalar(value))"]
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        if case .string(let text) = value, isPlain(text) { return text }
        return String(decoding: value.bytes, as: UTF8.self)
    }

    private static func key(_ text: String) -> String {
        isPlain(text) && Int(text) == nil ? text : String(decoding: JSONValue.string(text).bytes, as: UTF8.self)
    }

    /// Letters, digits and a few signs, beginning with a letter or a slash, and no word that YAML takes for something else.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/"), text.utf8.count < 100 else {
            return false
        }
        let signs = Array(" _-./".utf8)
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || signs.contains($0) }
            && text.utf8.last != UInt8(ascii: " ")
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
