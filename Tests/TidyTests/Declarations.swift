/// The declarations of a source that other modules see.
enum Declarations {
    /// Each `package` declaration up to its body: the signature, on one line, with the line it begins on.
    static func package(in text: SwiftText) throws -> [SwiftText.Piece] {
        let start = try Regex(
            #"(?m)^[ \t]*(?:@[\w()., :]+[ \t]+)*(?:[a-z]+(?:\([a-z]+\))?[ \t]+)*package[ \t]+(?!import\b)"#)
        return text.code.matches(of: start).map { match in
            let line = text.code[..<match.range.lowerBound].count { $0.isNewline } + 1
            return SwiftText.Piece(line: line, text: signature(from: text.code[match.range.lowerBound...]))
        }
    }

    /// A type of a module says what it is; a member may be plain from its name.
    static func introducesType(_ declaration: String) -> Bool {
        let words = declaration.split(separator: " ")
        let introducers: Set<Substring> = ["struct", "enum", "class", "actor", "protocol"]
        return words.contains(where: introducers.contains) && !words.contains("func")
    }

    /// Up to `{`, `=`, or a line break outside all brackets.
    private static func signature(from code: Substring) -> String {
        var depth = 0
        var result = ""
        for character in code {
            switch character {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0, "=" where depth == 0: return trimmed(result)
            case let other where other.isNewline && depth == 0: return trimmed(result)
            default: break
            }
            result.append(character.isNewline ? " " : character)
        }
        return trimmed(result)
    }

    private static func trimmed(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}
