import Testing

@Suite("The security tables")
struct SecurityTableTests {
    /// Requirements of levels 1 (70) and 2 (183) of ASVS 5.0.0.
    static let lines = 253
    static let states: Set<String> = ["met", "partly", "**not met**", "n/a"]

    private struct Row {
        let ids: [String]
        let state: String
        let evidence: String
    }

    private func rows() throws -> [Row] {
        try SourceTree.text(of: "docs/asvs.md").split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            }.map { String($0) }
            guard cells.count == 6, cells[1].hasPrefix("V"), cells[1].contains(".") else { return nil }
            return Row(
                ids: cells[1].split(separator: ",").map { $0.filter { $0 != " " } }, state: cells[3], evidence: cells[4]
            )
        }
    }

    @Test("docs/asvs.md has every line once, each with a state and what holds it")
    func complete() throws {
        let rows = try rows()
        let ids = rows.flatMap(\.ids)
        #expect(ids.count == Self.lines && Set(ids).count == ids.count, "\(ids.count) lines")
        for row in rows {
            #expect(Self.states.contains(row.state), "\(row.ids): \(row.state)")
            #expect(row.evidence.count > 3, "\(row.ids) says nothing")
        }
        func count(_ state: String) -> Int { rows.filter { $0.state == state }.reduce(0) { $0 + $1.ids.count } }
        let summary =
            "\(ids.count) lines: \(count("met")) met, \(count("partly")) partly, \(count("**not met**")) not met, \(count("n/a")) not applicable."
        #expect(try SourceTree.text(of: "docs/asvs.md").contains(summary), "the summary should say: \(summary)")
    }

    @Test(
        "every file that a security table names is there, and every test file has a test",
        arguments: [
            "docs/asvs.md", "docs/threat-model.md",
        ])
    func alive(document: String) throws {
        let text = try SourceTree.text(of: document)
        let words = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        let paths = Set(
            words.filter { word in
                ["Tests/", "docs/", "scripts/", "Services/", "Shared/"].contains { word.hasPrefix($0) }
            })
        #expect(paths.count > 10)
        for path in paths.sorted() {
            guard path.hasSuffix(".swift") else {
                #expect(SourceTree.exists(path), "\(document) names \(path)")
                continue
            }
            let source = try? SourceTree.text(of: path)
            #expect(source != nil, "\(document) names \(path)")
            let isSuite = path.hasSuffix("Tests.swift")
            #expect(!isSuite || source?.contains("@Test") == true, "\(path) has no test")
        }
    }
}
