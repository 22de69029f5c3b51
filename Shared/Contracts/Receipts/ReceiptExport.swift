/// A receipt in forms that people read. What it says is quoted text: it can not become a heading, a tag or a formula.
///
/// The signed JSON is what counts; these say so.
package struct ReceiptExport: Sendable {
    /// `json` is the receipt itself; the others are made of it.
    package enum Format: String, Sendable, CaseIterable { case json, html, md, csv, pdf }

    private let receipt: ReceiptDocument
    package init(_ receipt: ReceiptDocument) { self.receipt = receipt }

    /// - Returns: the bytes of the whole file.
    package func bytes(as format: Format) -> [UInt8] {
        switch format {
        case .json: receipt.bytes
        case .md: Array(markdown.utf8)
        case .html: Array(html.utf8)
        case .csv: Array(csv.utf8)
        case .pdf: PlainPDF(lines: plain).bytes
        }
    }

    // MARK: What is shown

    private struct Section {
        let title: String
        var rows: [(name: String, value: String)] = []
        /// What somebody said.
        var quotes: [(by: String, text: String)] = []
    }

    private var title: String { "Decision receipt \(text("receipt_id"))" }

    private var sections: [Section] {
        let object = receipt.object
        var sections = [
            Section(
                title: "Question", rows: [("Debate", text("debate_id")), ("Time", text("timestamp"))],
                quotes: [("asked", text("input_summary"))]),
            Section(
                title: "Decision",
                rows: [
                    ("Verdict", text("verdict")), ("Confidence", text("confidence")), ("Risk", text("risk_level")),
                    ("Consensus reached", text("consensus_reached")), ("Rounds", text("rounds_completed")),
                ], quotes: [("answer", text("final_answer"))]),
        ]
        let dissent = (object["dissenting_views"]?.array ?? []).map {
            (by: shown($0["agent"]), text: shown($0["reasoning"]))
        }
        if !dissent.isEmpty { sections.append(Section(title: "Dissent", quotes: dissent)) }
        sections.append(
            Section(
                title: "Agents",
                rows: (object["agents_involved"]?.array ?? []).map { agent in
                    let failure = agent["failure"].flatMap(\.string).map { ", failed: \($0)" } ?? ""
                    return (shown(agent["name"]), "\(shown(agent["provider"])) \(shown(agent["model"]))\(failure)")
                }))
        if let sentence = object["insight"]?["sentence"]?.string {
            sections.append(Section(title: "Did debating help?", quotes: [("insight", sentence)]))
        }
        sections.append(
            Section(
                title: "Cost and proof",
                rows: [
                    ("Cost in micro-USD", shown(object["cost"]?["micro_usd"])), ("Events", text("event_count")),
                    ("Hash of the last event", text("head_hash")), ("Merkle root of the events", text("events_root")),
                    ("Checksum", text("checksum")), ("Signed by", shown(object["signature_metadata"]?["key_id"])),
                    ("and by", shown(object["verification"]?["ed25519"]?["key_id"])),
                ]))
        return sections
    }

    private static let note = "This page can not be verified. The receipt as JSON can: aragora receipt verify FILE"

    private func text(_ key: String) -> String { shown(receipt.object[key]) }

    private func shown(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "-" }
        if let text = value.string { return text }
        return String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
    }

    // MARK: Forms

    private var markdown: String {
        var out = "# \(Self.oneLine(title))\n"
        for section in sections {
            out += "\n## \(section.title)\n\n"
            for row in section.rows { out += "- \(Self.inline(row.name)): \(Self.inline(row.value))\n" }
            for quote in section.quotes {
                out += "\n**\(Self.inline(quote.by))**\n\n"
                out += Self.lines(quote.text).map { "> \(Self.inline($0))\n" }.joined()
            }
        }
        return out + "\n---\n\n\(Self.note)\n"
    }

    private var html: String {
        var out = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>\(Self.escaped(title))</title>
            <style>body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}\
            dt{font-weight:bold}dd{margin:0 0 .5em;overflow-wrap:anywhere}blockquote{white-space:pre-wrap;border-left:3px solid #999;\
            margin:1em 0;padding-left:1em}</style></head><body>
            <h1>\(Self.escaped(title))</h1>

            """
        for section in sections {
            out += "<h2>\(Self.escaped(section.title))</h2>\n<dl>\n"
            for row in section.rows { out += "<dt>\(Self.escaped(row.name))</dt><dd>\(Self.escaped(row.value))</dd>\n" }
            out += "</dl>\n"
            for quote in section.quotes {
                out += "<p>\(Self.escaped(quote.by))</p>\n<blockquote>\(Self.escaped(quote.text))</blockquote>\n"
            }
        }
        return out + "<p>\(Self.escaped(Self.note))</p>\n</body></html>\n"
    }

    private var csv: String {
        var out = "section,name,value\r\n"
        for section in sections {
            for row in section.rows + section.quotes.map({ ($0.by, $0.text) }) {
                out += [section.title, row.0, row.1].map(Self.cell).joined(separator: ",") + "\r\n"
            }
        }
        return out
    }

    private var plain: [String] {
        var out = [title, ""]
        for section in sections {
            out += [section.title.uppercased()] + section.rows.map { "  \($0.name): \($0.value)" }
            for quote in section.quotes { out += ["  \(quote.by):"] + Self.lines(quote.text).map { "    \($0)" } }
            out.append("")
        }
        return out + [Self.note, "Characters that this form of PDF does not have are shown as ?."]
    }

    // MARK: Quoting

    private static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { String($0) }
    }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// Nothing in it is Markdown or HTML any more.
    private static func inline(_ text: String) -> String {
        var out = ""
        for character in oneLine(text) {
            if character.isASCII, "\\`*_{}[]<>()#+-.!|&~".contains(character), !"-.".contains(character) {
                out.append("\\")
            }
            out.append(character)
        }
        return out
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// RFC 4180; a text that a spreadsheet would calculate is quoted by an apostrophe.
    private static func cell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        let quoted = (isFormula && text != "-" ? "'" : "") + text
        return "\"" + quoted.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}
