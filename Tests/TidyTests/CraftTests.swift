import Testing

/// What may not occur in the text of the program, each with its reason.
@Suite("Craft")
struct CraftTests {
    struct Rule: CustomTestStringConvertible, Sendable {
        let pattern: String
        let reason: String
        var folders = ["Shared", "Services"]
        var testDescription: String { reason }
    }

    static let rules = [
        Rule(
            pattern: #"\bTask\.detached\b"#, reason: "a detached task has no owner",
            folders: ["Shared", "Services", "Benchmarks"]),
        Rule(pattern: #"\btry!"#, reason: "try! turns an error into the end of the process"),
        Rule(pattern: #"\bas!\s"#, reason: "as! turns a surprise into the end of the process"),
        Rule(pattern: #"\bfatalError\("#, reason: "input never traps; a mistake of ours is a precondition"),
        Rule(
            pattern:
                #"\bpublic\s+(func|struct|enum|class|actor|let|var|init|protocol|import|static|final|typealias|extension)\b"#,
            reason: "nothing is public: there is no other package"),
        Rule(pattern: #"\bstatic\s+(let|var)\s+shared\b"#, reason: "no singletons: pass the value"),
        Rule(
            pattern: #"\bimport\s+Synchronization\b[\s\S]*\bMutex\b|:\s*Mutex<"#,
            reason: "Lock, not Mutex: ThreadSanitizer misreads Mutex"),
        Rule(
            pattern: #"\bJSONEncoder\b|\bJSONDecoder\b|\bJSONSerialization\b"#,
            reason: "one JSON parser and one writer, in Contracts"),
        Rule(
            pattern: #"\bTask\.sleep\b|\bThread\.sleep\b|\busleep\("#, reason: "tests await signals, they do not sleep",
            folders: ["Tests"]),
    ]

    @Test("forbidden text does not occur", arguments: rules)
    func forbidden(rule: Rule) throws {
        let pattern = try Regex(rule.pattern)
        for folder in rule.folders {
            for (path, text) in try SourceTree.sources(under: folder) {
                for line in text.codeLines where line.text.contains(pattern) {
                    Issue.record("\(path):\(line.line): \(rule.reason)")
                }
            }
        }
    }

    @Test("no pointer is part of a package declaration")
    func pointers() throws {
        for (path, text) in try SourceTree.sources(under: "Shared") {
            for declaration in try Declarations.package(in: text) {
                #expect(!declaration.text.contains("Pointer"), "\(path):\(declaration.line): \(declaration.text)")
            }
        }
    }

    @Test(
        "what the compiler can not check says why", arguments: [#"@unchecked\s+Sendable"#, #"nonisolated\(unsafe\)"#])
    func unchecked(pattern: String) throws {
        let pattern = try Regex(pattern)
        for (path, text) in try SourceTree.sources(under: "Shared", "Services", "Tests", "Benchmarks") {
            let commented = Set(text.comments.map(\.line))
            for line in text.codeLines where line.text.contains(pattern) {
                let explained = (max(1, line.line - 3)...line.line).contains { commented.contains($0) }
                #expect(explained, "\(path):\(line.line) has no comment beside it")
            }
        }
    }

    @Test("a TODO names an issue")
    func todo() throws {
        let mark = try Regex(#"\b(TODO|FIXME|XXX|HACK)\b"#)
        let issue = try Regex(#"#\d+"#)
        for (path, text) in try SourceTree.sources(under: "Shared", "Services", "Tests", "Benchmarks") {
            for comment in text.comments where comment.text.contains(mark) {
                #expect(comment.text.contains(issue), "\(path):\(comment.line)")
            }
        }
    }

    @Test("a file is short enough to read at once")
    func length() throws {
        for (path, text) in try SourceTree.sources(under: "Shared", "Services") {
            #expect(text.codeLines.count <= 400, "\(path) has \(text.codeLines.count) lines")
        }
    }

    @Test("a name says its duty")
    func names() throws {
        for path in SourceTree.files(under: "Shared") + SourceTree.files(under: "Services") {
            let name = path.split(separator: "/").last.map { String($0.dropLast(".swift".count)) } ?? ""
            for vague in ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Common", "Misc"] {
                #expect(!name.hasSuffix(vague), "\(path)")
            }
        }
    }

    @Test("every top-level type that other modules see is documented")
    func documented() throws {
        for (path, text) in try SourceTree.sources(under: "Shared") {
            let comments = Set(
                text.comments.filter { $0.text.hasPrefix("///") || $0.text.hasPrefix("/**") }.map(\.line))
            let lines = text.codeLines
            for declaration in try Declarations.package(in: text) where Declarations.introducesType(declaration.text) {
                guard lines[declaration.line - 1].text.first != " " else { continue }
                // Attributes stand between the comment and the declaration.
                var above = declaration.line - 1
                while above > 0, lines[above - 1].text.contains("@"), !comments.contains(above) { above -= 1 }
                #expect(comments.contains(above), "\(path):\(declaration.line): \(declaration.text)")
            }
        }
    }
}
