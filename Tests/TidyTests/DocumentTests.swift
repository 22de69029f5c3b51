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

    @Test("a file or folder that a document names exists", arguments: documents)
    func paths(path: String) throws {
        let pattern = try Regex(#"`((?:Shared|Services|Tests|Benchmarks|scripts|docs)/[\w./+-]+)`"#)
        for match in try SourceTree.text(of: path).matches(of: pattern) {
            let target = String(match[1].substring ?? "")
            #expect(SourceTree.exists(target), "\(path): \(target)")
        }
    }

    @Test("ARCHITECTURE names every module and every service")
    func codeMap() throws {
        let text = try SourceTree.text(of: "ARCHITECTURE.md")
        for module in Layers.shared.keys { #expect(text.contains("`Shared/\(module)`"), "\(module)") }
        for service in Layers.services.keys { #expect(text.contains("`Services/\(service)`"), "\(service)") }
    }

    @Test("ARCHITECTURE lists the kill points there are, and no others")
    func killPoints() throws {
        let architecture = try SourceTree.text(of: "ARCHITECTURE.md")
        let source = try SourceTree.text(of: "Shared/Platform/KillPoint.swift")
        let points = source.matches(of: try Regex(#"(?m)^    case \w+ = "([a-z-]+)""#)).compactMap { $0[1].substring }
        let section = try #require(architecture.split(separator: "## Kill points").last)
        let listed = section.prefix { $0 != "#" }.matches(of: try Regex(#"(?m)^\| `([a-z-]+)` \|"#)).compactMap {
            $0[1].substring
        }
        #expect(points.count > 5)
        #expect(listed == points)
    }

    @Test("every kill point is reached somewhere")
    func killPointsReached() throws {
        let source = try SourceTree.text(of: "Shared/Platform/KillPoint.swift")
        let names = source.matches(of: try Regex(#"(?m)^    case (\w+) = "#)).compactMap { $0[1].substring }
        let program = try SourceTree.sources(under: "Shared", "Services").map(\.text.code).joined()
        for name in names {
            let isReached = program.contains("KillPoint.reach(.\(name))")
            #expect(isReached, "\(name)")
        }
    }

    @Test("docs/configuration.md names every environment variable that a settings file spells")
    func environment() throws {
        let document = try SourceTree.text(of: "docs/configuration.md")
        let name = try Regex(#"^[A-Z][A-Z0-9]+(_[A-Z0-9]+)+$"#)
        var found = 0
        for (path, text) in try SourceTree.sources(under: "Shared", "Services") where path.hasSuffix("Settings.swift") {
            for literal in text.literals where literal.text.contains(name) {
                found += 1
                // A name, or what names are made of.
                let isNamed = document.contains("`\(literal.text)`") || document.contains("`\(literal.text)_")
                #expect(isNamed, "\(path):\(literal.line): \(literal.text)")
            }
        }
        #expect(found > 30)
    }

    @Test("every metric is listed in the catalogue and emitted somewhere")
    func metrics() throws {
        let catalogue = SwiftText(try SourceTree.text(of: "Shared/Platform/MetricName.swift"))
        let names = catalogue.code.matches(of: try Regex(#"static let (\w+) = MetricName"#)).compactMap {
            $0[1].substring
        }
        #expect(names.count > 30)
        // add(.name, …), set(.name, …), observe(.name, …); a name that is only declared is never seen to change.
        let program = try SourceTree.sources(under: "Shared", "Services").map(\.text.code).joined()
        let listed = SwiftText(try SourceTree.text(of: "Shared/Platform/MetricCatalogue.swift")).code
        for name in names {
            let isListed = listed.contains(try Regex(#"\.\#(name)\b"#))
            #expect(isListed, "\(name) is not in MetricCatalogue")
            let isEmitted = program.contains(try Regex(#"(add|set|observe)\(\s*\.\#(name)\b"#))
            #expect(isEmitted, "\(name)")
        }
    }
}
