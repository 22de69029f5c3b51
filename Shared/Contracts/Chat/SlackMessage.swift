/// Texts and messages as Slack has them (Block Kit).
package enum SlackMessage {
    /// `action_id`s of our buttons; their value is the debate.
    package static let statusAction = "aragora_status"
    package static let stopAction = "aragora_stop"
    /// A section takes no more.
    static let maximumSectionCharacters = 3000

    /// Text that others wrote, for `mrkdwn`: with these three escaped nothing in it is a link, a mention or a channel call.
    package static func escape(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// What somebody typed, from what Slack makes of it: without mentions, with links as they were written.
    package static func plain(_ text: String) -> String {
        var out = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            out += rest[..<start]
            guard let end = rest[start...].firstIndex(of: ">") else { break }
            let inside = rest[rest.index(after: start)..<end]
            if !inside.hasPrefix("@"), !inside.hasPrefix("!") {
                out += inside.hasPrefix("#") ? inside.split(separator: "|").last ?? "" : inside.prefix { $0 != "|" }
            }
            rest = rest[rest.index(after: end)...]
        }
        out += rest
        return out.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&").trimmed
    }

    /// The members of a message that are the same in `chat.postMessage`, at a `response_url` and in an answer.
    package static func body(_ notice: ChatNotice, question: String? = nil) -> JSONObject {
        var lines: [String] = []
        if !notice.headline.isEmpty { lines.append("*\(escape(notice.headline))*") }
        if let question, notice.kind == .ended {
            lines.append("_" + escape(ChatNotice.cut(question, ChatNotice.maximumQuestionCharacters)) + "_")
        }
        if !notice.text.isEmpty { lines.append(escape(notice.text)) }
        let text = lines.joined(separator: "\n")
        var blocks: [JSONValue] = [
            ["type": "section", "text": ["type": "mrkdwn", "text": .string(section(text))]]
        ]
        let footnote = [notice.footnote, notice.debate ?? ""].filter { !$0.isEmpty }.joined(separator: " · ")
        if !footnote.isEmpty {
            blocks.append(["type": "context", "elements": [["type": "plain_text", "text": .string(footnote)]]])
        }
        if notice.kind == .started, let debate = notice.debate {
            blocks.append([
                "type": "actions",
                "elements": [
                    button("Status", statusAction, debate), button("Stop", stopAction, debate),
                ],
            ])
        }
        return JSONObject([
            ("text", .string(text)), ("blocks", .array(blocks)), ("unfurl_links", false), ("unfurl_media", false),
        ])
    }

    /// An answer to a command, or to a press of a button.
    package static func answer(_ text: String, isPublic: Bool) -> JSONValue {
        [
            "response_type": isPublic ? "in_channel" : "ephemeral", "text": .string(escape(text)),
        ]
    }

    private static func button(_ text: String, _ action: String, _ debate: String) -> JSONValue {
        [
            "type": "button", "text": ["type": "plain_text", "text": .string(text)], "action_id": .string(action),
            "value": .string(debate),
        ]
    }

    /// Cut so that no escape is cut in two.
    private static func section(_ text: String) -> String {
        guard text.count > maximumSectionCharacters else { return text }
        let head = text.prefix(maximumSectionCharacters - 1)
        let start = head.lastIndex(of: "&").flatMap { head[$0...].contains(";") ? nil : $0 } ?? head.endIndex
        return head[..<start] + "…"
    }
}
