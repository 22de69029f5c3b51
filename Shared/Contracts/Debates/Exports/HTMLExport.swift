package import Domain

/// A debate as one HTML page without scripts, styles from elsewhere, links or pictures.
///
/// Everything that a model or a person wrote goes through ``escaped(_:)``, and stands only between tags, never inside one.
package enum HTMLExport {
    package static func text(_ body: DebateBody, decision: ConsensusResult?) -> String {
        var out = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>\(escaped(body.shownTitle))</title>
            <style>
            body { font: 1rem/1.5 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
            pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #999; padding-left: 1rem }
            dt { float: left; clear: left; width: 7rem; color: #666 }
            </style>
            </head>
            <body>
            <h1>\(escaped(body.shownTitle))</h1>

            """
        if body.shownTitle != body.topic { out += "<pre>\(escaped(body.topic))</pre>\n" }
        out += "<dl>\n"
        for (name, value) in ExportFacts.facts(of: body) { out += "<dt>\(name)</dt><dd>\(escaped(value))</dd>\n" }
        out += "</dl>\n"
        if let decision { out += section(decision) }
        out += "<h2>Transcript</h2>\n"
        for message in body.messages ?? [] {
            out +=
                "<h3>Round \(message.round), \(escaped(message.phase)): \(escaped(message.agent ?? message.role))</h3>\n"
            out += "<pre>\(escaped(message.content ?? "(erased)"))</pre>\n"
        }
        return out + "</body>\n</html>\n"
    }

    private static func section(_ decision: ConsensusResult) -> String {
        var out = "<h2>Decision</h2>\n<p>\(ExportFacts.sentence(of: decision))</p>\n"
        out += "<pre>\(escaped(decision.finalAnswer))</pre>\n"
        guard !decision.dissenting.isEmpty else { return out }
        out += "<h2>Dissent</h2>\n"
        for dissent in decision.dissenting {
            out += "<h3>\(escaped(dissent.agent))</h3>\n<pre>\(escaped(dissent.reasoning))</pre>\n"
        }
        return out
    }

    /// Text that stays text wherever it stands between tags; control characters that HTML forbids become U+FFFD.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "`": out += "&#96;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            case _ where scalar.properties.generalCategory == .control: out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
