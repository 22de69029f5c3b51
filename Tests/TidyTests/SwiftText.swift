/// A Swift source taken apart: what is code, what is comment, what is string literal.
///
/// A small scanner, not a parser: enough to keep a rule about code from tripping over a comment that explains it.
/// Regular expression literals are not known; this repository writes none outside tests of its own.
struct SwiftText {
    struct Piece {
        let line: Int
        let text: String
    }

    /// The source with comments blanked and literals emptied; line breaks stay where they were.
    private(set) var code = ""
    private(set) var comments: [Piece] = []
    private(set) var literals: [Piece] = []

    init(_ source: String) {
        var scanner = Scanner(source)
        scanner.scanCode(untilClosingParenthesis: false)
        code = String(decoding: scanner.code, as: UTF8.self)
        comments = scanner.comments
        literals = scanner.literals
    }

    /// The lines of ``code`` with their numbers, from 1.
    var codeLines: [Piece] {
        code.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .map { Piece(line: $0.offset + 1, text: String($0.element)) }
    }
}

private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private(set) var code: [UInt8] = []
    private(set) var comments: [SwiftText.Piece] = []
    private(set) var literals: [SwiftText.Piece] = []

    init(_ source: String) {
        bytes = Array(source.utf8)
    }

    /// Scans to the end, or to the parenthesis that closes an interpolation.
    mutating func scanCode(untilClosingParenthesis: Bool) {
        var depth = 0
        while position < bytes.count {
            if !Self.begins[Int(bytes[position])] {
                code.append(take())
            } else if starts(with: "//") {
                scanLineComment()
            } else if starts(with: "/*") {
                scanBlockComment()
            } else if let pounds = openingQuote() {
                scanLiteral(pounds: pounds)
            } else {
                if starts(with: "(") { depth += 1 }
                if starts(with: ")") {
                    if untilClosingParenthesis, depth == 0 { return }
                    depth -= 1
                }
                code.append(take())
            }
        }
    }

    private mutating func scanLineComment() {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
        comments.append(.init(line: line, text: text(from: start, to: position)))
    }

    private mutating func scanBlockComment() {
        let (start, firstLine) = (position, line)
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                skip(2)
            } else if starts(with: "*/") {
                depth -= 1
                skip(2)
            } else {
                skip(1)
            }
        } while depth > 0 && position < bytes.count
        comments.append(.init(line: firstLine, text: text(from: start, to: position)))
    }

    /// The number of `#` before a quote that opens here, or nil when none does.
    private func openingQuote() -> Int? {
        var pounds = 0
        while position + pounds < bytes.count, bytes[position + pounds] == UInt8(ascii: "#") { pounds += 1 }
        let quote = position + pounds
        return quote < bytes.count && bytes[quote] == UInt8(ascii: "\"") ? pounds : nil
    }

    private mutating func scanLiteral(pounds: Int) {
        let fence = String(repeating: "#", count: pounds)
        position += pounds
        let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        skip(quotes.utf8.count)
        code.append(UInt8(ascii: "\""))
        let firstLine = line
        var content: [UInt8] = []
        while position < bytes.count, !starts(with: quotes + fence) {
            if starts(with: "\\" + fence + "(") {
                skip(2 + pounds)
                scanCode(untilClosingParenthesis: true)
                content.append(UInt8(ascii: "_"))
                skip(1)
            } else if starts(with: "\\" + fence) {
                for _ in 0..<(2 + pounds) where position < bytes.count { content.append(takeSilently()) }
            } else {
                content.append(takeSilently())
            }
        }
        skip(quotes.utf8.count + pounds)
        code.append(UInt8(ascii: "\""))
        literals.append(.init(line: firstLine, text: String(decoding: content, as: UTF8.self)))
    }

    /// The bytes at which something other than plain code may begin: most bytes are none of them.
    private static let begins: [Bool] = (0...255).map { "/#\"()".utf8.contains(UInt8($0)) }

    private func starts(with prefix: String) -> Bool {
        bytes[position...].starts(with: prefix.utf8)
    }

    private func text(from start: Int, to end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// The next byte, for the code.
    private mutating func take() -> UInt8 {
        defer { position += 1 }
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        return bytes[position]
    }

    /// The next byte, not for the code; a line break still counts there.
    private mutating func takeSilently() -> UInt8 {
        if bytes[position] == UInt8(ascii: "\n") { code.append(UInt8(ascii: "\n")) }
        return take()
    }

    private mutating func skip(_ count: Int) {
        for _ in 0..<count where position < bytes.count { _ = takeSilently() }
    }
}
