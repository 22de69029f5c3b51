/// Text of a model, a server or a file on its way to a terminal. Such text is untrusted: an escape sequence in it could
/// retitle the window, rewrite what was printed, or make the terminal answer.
enum TerminalText {
    /// The text without control characters but newline, and without marks that reverse the reading direction.
    static func safe(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: scalars.append(scalar)
            case 0x09: scalars.append(" ")
            case 0x2028, 0x2029: scalars.append("\n")
            // C0, DEL and C1; U+009B is an escape of its own.
            case 0..<0x20, 0x7F..<0xA0: continue
            // Bidirectional embeddings, overrides and isolates (UAX #9), and the mark that is no character.
            case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0xFEFF: continue
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// The same on one line.
    static func safeLine(_ text: String) -> String {
        safe(text).split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Safe text in lines of at most `width` characters, broken at spaces; a longer word stands alone.
    static func wrap(_ text: String, width: Int) -> [String] {
        safe(text).split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            wrapLine(line, width: max(10, width))
        }
    }

    private static func wrapLine(_ line: Substring, width: Int) -> [String] {
        guard line.count > width else { return [String(line)] }
        let indent = String(line.prefix { $0 == " " }.prefix(width / 2))
        var lines: [String] = []
        var current = indent
        for word in line.split(separator: " ") {
            if current.count > indent.count && current.count + 1 + word.count > width {
                lines.append(current)
                current = indent
            }
            current += (current.count > indent.count ? " " : "") + word
        }
        return lines + [current]
    }
}
