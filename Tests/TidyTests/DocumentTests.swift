import Testing

@Suite("Documents")
struct DocumentTests {
    static let records = SourceTree.files(under: "docs/adr", suffix: ".md")
    static let documents =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].filter(SourceTree.exists)
        + SourceTree.files(under: "docs", suffix: ".md")

    @Test("decision records are numbered without gaps, from the template 0000")
    func numbering() {
        let numbers = Self.records.map { String($0.split(separator: "/").last?.prefix(4) ?? "") }
        let expected = (0..<Self.records.count).map { number in
            String(repeating: "0", count: 4 - String(number).count) + String(number)
        }
        #expect(numbers == expected)
    }

    @Test("a decision record has its four parts and its own number", arguments: records)
    func parts(path: String) throws {
        let text = try SourceTree.text(of: path)
        let number = try #require(path.split(separator: "/").last.flatMap { Int($0.prefix(4)) })
        #expect(text.hasPrefix("# \(number). "))
        for part in ["## Context", "## Decision", "## Consequences", "## Rejected alternatives"] {
            #expect(text.contains("\n\(part)\n"), "\(path) lacks \(part)")
        }
    }

    @Test("a link leads somewhere inside the repository", arguments: documents)
    func links(path: String) throws {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        for match in try SourceTree.text(of: path).matches(of: Regex(#"\]\(([^)#\s]+)[^)]*\)"#)) {
            let target = String(match[1].substring ?? "")
            guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
            #expect(!target.hasPrefix("/"), "\(path) has an absolute link: \(target)")
            #expect(SourceTree.exists(folder.isEmpty ? target : "\(folder)/\(target)"), "\(path): \(target)")
        }
    }

    @Test("ARCHITECTURE names every module and every service")
    func codeMap() throws {
        let text = try SourceTree.text(of: "ARCHITECTURE.md")
        for module in Layers.shared.keys { #expect(text.contains("`Shared/\(module)`"), "\(module)") }
        for service in Layers.services.keys { #expect(text.contains("`Services/\(service)`"), "\(service)") }
    }

    @Test("ARCHITECTURE lists every kill point")
    func killPoints() throws {
        let architecture = try SourceTree.text(of: "ARCHITECTURE.md")
        let source = try SourceTree.text(of: "Shared/Platform/KillPoint.swift")
        let points = source.matches(of: try Regex(#"(?m)^    case \w+ = "([a-z-]+)""#)).compactMap { $0[1].substring }
        #expect(points.count > 5)
        for point in points { #expect(architecture.contains("| `\(point)` |"), "\(point)") }
    }
}
