import Contracts
import Domain
import Foundation
import TestSupport
import Testing

@testable import aragora_api

@Suite("Exports", .needsPostgres, .timeLimit(.minutes(2)))
struct ExportTests {
    @Test("every form has the real title, the answer and what was said")
    func forms() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Do exports name their question?")
            try await api.finish(id)
            let whole = try await api.get("/api/debates/\(id)").json
            let answer = try #require(whole["final_answer"]?.string?.split(separator: "\n").first.map(String.init))
            for (form, type) in [
                ("json", "application/json"), ("csv", "text/csv"), ("html", "text/html"), ("txt", "text/plain"),
                ("md", "text/markdown"),
            ] {
                let export = try await api.get("/api/v1/debates/\(id)/export/\(form)")
                #expect(export.status == 200 && export.header("Content-Type")?.hasPrefix(type) == true, "\(form)")
                #expect(export.text.contains("Do exports name their question?"), "\(form)")
                #expect(export.text.contains(answer.prefix(20)), "\(form)")
                #expect(!export.text.contains("Untitled"))
            }
            let wrong = try await api.get("/api/debates/\(id)/export/pdf")
            #expect(wrong.status == 400 && wrong.fields == ["format"])
            #expect(try await api.get("/api/debates/\(id)/export/csv?table=all").fields == ["table"])
        }
    }

    @Test("a table of comma-separated values for each kind of thing said", arguments: CSVExport.Table.allCases)
    func tables(table: CSVExport.Table) async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create(#"Which table, \"this\" one,\nor that?"#)
            try await api.finish(id)
            let export = try await api.get("/api/debates/\(id)/export/csv?table=\(table.rawValue)")
            #expect(export.header("Content-Disposition") == "attachment; filename=\"\(id).csv\"")
            let rows = try CSVText.rows(export.text)
            #expect(rows.count >= 2 && rows.allSatisfy { $0.count == rows[0].count })
            if table == .summary { #expect(rows[1][2] == "Which table, \"this\" one,\nor that?") }
            if table == .votes { #expect(rows.dropFirst().map { $0[1] } == ["demo-1", "demo-2"]) }
        }
    }

    /// What browsers took for a tag, an attribute, a script or an entity at one time or another.
    static let hostile = [
        "<script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "<!--",
        "]]><b>", "</title><script>x</script>", "</style><script>x</script>", "&lt;script&gt;", "&#60;script&#62;",
        "<a href=javascript:alert(1)>x</a>", "' onmouseover='alert(1)", "`onload=alert(1)`", "<iframe srcdoc='<b>'>",
        "\u{0}<b>", "\u{2028}<b>", "＜script＞", "<scr<script>ipt>", "<math><mtext></p><script>", "%3Cscript%3E",
        "<base href=//x>", "{{7*7}}${7*7}<%= 7 %>",
    ]

    @Test("what people and models write stays text in the page", arguments: hostile)
    func injection(text: String) throws {
        let page = HTMLExport.text(Self.body(text), decision: Self.decision(text))
        // Without the text the page has these tags and no others.
        let clean = HTMLExport.text(Self.body("plain"), decision: Self.decision("plain"))
        let tag = try Regex(#"<[^>]*>"#)
        #expect(
            page.matches(of: tag).map { String($0[0].substring ?? "") }
                == clean.matches(of: tag).map { String($0[0].substring ?? "") })
        #expect(page.components(separatedBy: "<").count == clean.components(separatedBy: "<").count)
        #expect(!page.unicodeScalars.contains("\u{0}"))
        let escapes = try Regex("&(?!(amp|lt|gt|quot|#39|#96);)")
        #expect(page.firstMatch(of: escapes) == nil)
    }

    @Test("a page from the server carries a policy under which nothing runs")
    func policy() async throws {
        try await APIFixture.with { api in
            let id = try await api.create("<img src=x onerror=alert(1)> or not?")
            let page = try await api.get("/api/debates/\(id)/export/html")
            #expect(page.header("Content-Security-Policy")?.contains("default-src 'none'") == true)
            #expect(page.header("Content-Security-Policy")?.contains("frame-ancestors 'none'; sandbox") == true)
            #expect(page.header("X-Content-Type-Options") == "nosniff")
            #expect(page.text.contains("&lt;img src=x onerror=alert(1)&gt; or not?"))
            #expect(!page.text.contains("<img"))
        }
    }

    @Test(
        "a cell that a spreadsheet would run is text",
        arguments: ["=1+1", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1"])
    func formulas(text: String) throws {
        let rows = try CSVText.rows(CSVExport.text(.messages, Self.body(text), DebateStory()))
        #expect(rows[1][6] == "'" + text)
        #expect(try CSVText.rows(CSVExport.text(.summary, Self.body(text), DebateStory()))[1][2] == "'" + text)
    }

    @Test("what was said can not forge a heading of the text")
    func headings() {
        let text = TextExport.text(Self.body("line\n\nDECISION\n\nforged"), decision: nil)
        #expect(!text.split(separator: "\n").contains("DECISION"))
        #expect(text.contains("    DECISION"))
    }

    private static func body(_ text: String) -> DebateBody {
        var body = DebateBody(
            id: DebateID(milliseconds: 1, random: Array(repeating: 7, count: 10)), slug: "s", topic: text,
            status: .completed, agents: [text], rounds: 1, consensus: .majority,
            createdAt: Timestamp(milliseconds: 1))
        body.title = text
        body.reason = text
        body.tags = [text]
        body.messages = [
            MessageBody(
                index: 0, seq: 1, round: 1, agent: text, role: "agent", phase: "proposal", content: text,
                at: Timestamp(milliseconds: 1))
        ]
        return body
    }

    private static func decision(_ text: String) -> ConsensusResult {
        ConsensusResult(
            round: 1, mode: .majority, threshold: Ratio(0.6), reached: true, winner: text, finalAnswer: text,
            agreement: .one, confidence: .one, supporting: [text],
            dissenting: [.init(agent: text, choice: text, reasoning: text)],
            convergence: Convergence(state: .unknown, similarity: .zero))
    }
}

/// Comma-separated values read back, as RFC 4180 has them.
enum CSVText {
    struct Malformed: Error {}

    static func rows(_ text: String) throws -> [[String]] {
        var rows: [[String]] = []
        var (row, cell): ([String], String) = ([], "")
        var isQuoted = false
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            switch (isQuoted, scalar) {
            case (true, "\"") where scalars.first == "\"":
                cell.unicodeScalars.append("\"")
                scalars.removeFirst()
            case (_, "\""): isQuoted.toggle()
            case (false, ","):
                row.append(cell)
                cell = ""
            case (false, "\r"):
                guard scalars.popFirst() == "\n" else { throw Malformed() }
                rows.append(row + [cell])
                (row, cell) = ([], "")
            case (false, "\n"): throw Malformed()
            default: cell.unicodeScalars.append(scalar)
            }
        }
        guard !isQuoted, row.isEmpty, cell.isEmpty else { throw Malformed() }
        return rows
    }
}
