import Domain

/// Makes a model's text safe to store, as it arrives: no control characters but newline and tab, at most
/// ``Answer/maxContentBytes`` of UTF-8, cut between characters.
package struct AnswerSanitizer: Sendable {
    private let maxBytes: Int
    private var bytes = 0
    /// Everything that was accepted.
    package private(set) var content = ""
    /// Something was cut off; nothing is accepted any more.
    package private(set) var isTruncated = false

    package init(maxBytes: Int = Answer.maxContentBytes) { self.maxBytes = maxBytes }

    /// The text of bytes that should be UTF-8; what is not becomes U+FFFD.
    package static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Accepts more text and returns what of it was accepted.
    package mutating func append(_ text: String) -> String {
        guard !isTruncated else { return "" }
        let clean = Self.isClean(text) ? text : Self.cleaned(text)
        let accepted = bytes + clean.utf8.count <= maxBytes ? clean : cut(clean)
        bytes += accepted.utf8.count
        content += accepted
        return accepted
    }

    private mutating func cut(_ text: String) -> String {
        isTruncated = true
        var room = maxBytes - bytes
        let kept = text.prefix { character in
            room -= character.utf8.count
            return room >= 0
        }
        return String(kept)
    }

    /// Whether there is nothing to remove; C1 controls begin with C2 in UTF-8, so any C2 asks for the slow look.
    private static func isClean(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F && $0 != 0xC2) || $0 == 0x0A || $0 == 0x09 }
    }

    private static func cleaned(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar == "\n" || scalar == "\t" || !isControl(scalar.value) {
            scalars.append(scalar)
        }
        return String(scalars)
    }

    private static func isControl(_ value: UInt32) -> Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
