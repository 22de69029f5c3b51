/// Finds `NAME: value` lines in what a model wrote, whatever markdown it wrapped them in.
///
/// `**Choice:** demo-1`, `- CHOICE = demo-1` and `choice：demo-1` all name the field `choice`. Lines that begin no field
/// continue the one before. Pure and linear in the text, which its source has bounded.
struct ReplyFields {
    struct Field: Hashable {
        /// Lowercase.
        let name: String
        /// Without the markdown and quotes around it: for names and numbers.
        var value: String
        /// As it was written, but for white space and emphasis around it: for sentences.
        var sentence: String
    }

    private(set) var fields: [Field] = []

    /// - Parameter names: lowercase; any other word before a colon is plain text.
    init(_ text: String, names: Set<String>) {
        for line in Self.lines(of: text) {
            if Self.mayBeField(line, names: names), let field = Self.field(in: line, names: names) {
                fields.append(field)
            } else if let last = fields.indices.last {
                let more = line.trimmed { $0.isWhitespace }
                guard !more.isEmpty else { continue }
                fields[last].value += fields[last].value.isEmpty ? more : "\n" + more
                fields[last].sentence += fields[last].sentence.isEmpty ? more : "\n" + more
            }
        }
    }

    /// The values given for any of `names`, in order.
    func values(_ names: String...) -> [String] {
        fields.filter { names.contains($0.name) }.map(\.value)
    }

    /// The sentences given for any of `names`, in order.
    func sentences(_ names: String...) -> [String] {
        fields.filter { names.contains($0.name) }.map(\.sentence)
    }

    /// Lines that are not empty. Of plain ASCII, which most is, they are found by bytes.
    private static func lines(of text: String) -> [Substring] {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return text.split(whereSeparator: \.isNewline) }
        return text.utf8.split { (0x0A...0x0D).contains($0) }.map(Substring.init)
    }

    /// False when `line` begins with a plain word that is none of `names`; by bytes, for nearly every line does.
    private static func mayBeField(_ line: Substring, names: Set<String>) -> Bool {
        let named = line.utf8.drop {
            $0 < 0x80 && isDecoration(ascii: $0) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x29
        }
        let word = named.prefix { (0x61...0x7A).contains($0 | 0x20) }
        // What follows may make another character of the one before.
        if let next = named[word.endIndex...].first, next >= 0x80 { return true }
        return names.contains { $0.utf8.elementsEqual(word.lazy.map { $0 | 0x20 }) }
    }

    private static func field(in line: Substring, names: Set<String>) -> Field? {
        let named = line.drop { isDecoration($0) || $0.isNumber || $0 == "." || $0 == ")" }
        let word = named.prefix { $0.isLetter }
        let name = word.lowercased()
        guard names.contains(name) else { return nil }
        let afterName = named[word.endIndex...].drop { isDecoration($0) }
        guard let mark = afterName.first, mark == ":" || mark == "=" || mark == "：" else { return nil }
        let rest = afterName.dropFirst()
        return Field(
            name: name, value: rest.trimmed { isDecoration($0) && $0 != "-" },
            sentence: rest.trimmed { $0.isWhitespace || $0 == "*" || $0 == "_" })
    }

    /// Markdown and quotes around names and values.
    static func isDecoration(_ character: Character) -> Bool {
        if let ascii = character.asciiValue { return isDecoration(ascii: ascii) }
        return character.isWhitespace || character == "“" || character == "”"
    }

    private static func isDecoration(ascii: UInt8) -> Bool {
        switch ascii {
        case 0x09...0x0D, 0x20: true  // white space
        case 0x2A, 0x5F, 0x60, 0x23, 0x3E, 0x2D, 0x22, 0x27, 0x7C, 0x5B, 0x5D, 0x3C: true  // * _ ` # > - " ' | [ ] <
        default: false
        }
    }
}

extension StringProtocol {
    /// Without the characters that match at both ends.
    func trimmed(_ matches: (Character) -> Bool) -> String {
        let head = drop(while: matches)
        guard let last = head.lastIndex(where: { !matches($0) }) else { return "" }
        return String(head[...last])
    }

    /// At most `bytes` of UTF-8, cut between characters.
    func cut(toBytes bytes: Int) -> String {
        guard utf8.count > bytes else { return String(self) }
        var used = 0
        return String(
            prefix { character in
                used += character.utf8.count
                return used <= bytes
            })
    }
}
