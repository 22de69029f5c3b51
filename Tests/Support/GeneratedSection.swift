import Foundation
package import Testing

/// A part of a document that is made from the program: the lines between `<!-- name -->` and `<!-- /name -->`.
///
/// `WRITE_GOLDEN=1` writes what ``check(_:of:is:sourceLocation:)`` is given, once the change is meant.
package enum GeneratedSection {
    package struct Missing: Error {
        package let description: String
    }

    /// Expects that a section of a document, its path relative to the repository, is `text`.
    /// - Throws: ``Missing`` when the document has no such marks.
    package static func check(
        _ name: String, of path: String, is text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let url = root.appending(path: path)
        let document = try String(contentsOf: url, encoding: .utf8)
        let (begin, end) = ("<!-- \(name) -->\n", "<!-- /\(name) -->")
        guard let start = document.range(of: begin)?.upperBound,
            let stop = document.range(of: end, range: start..<document.endIndex)?.lowerBound
        else { throw Missing(description: "\(path) lacks the marks of \(name)") }
        let expected = "\n" + text.trimmingCharacters(in: .newlines) + "\n\n"
        guard document[start..<stop] != expected else { return }
        if ProcessInfo.processInfo.environment["WRITE_GOLDEN"] == "1" {
            try document.replacingCharacters(in: start..<stop, with: expected).write(
                to: url, atomically: true, encoding: .utf8)
        } else {
            Issue.record(
                "\(path), section \(name), differs; WRITE_GOLDEN=1 writes it:\n\(expected)",
                sourceLocation: sourceLocation)
        }
    }

    /// A table in Markdown; a bar inside a cell is escaped.
    package static func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines = [head, head.map { _ in "---" }] + rows
        return lines.map { "| " + $0.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }
}
