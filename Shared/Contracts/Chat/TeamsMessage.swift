/// Texts and messages as Teams has them (Adaptive Cards).
package enum TeamsMessage {
    /// Verbs of our buttons.
    package static let statusVerb = "aragora_status"
    package static let stopVerb = "aragora_stop"
    /// Of one text; the lines after them become one.
    static let maximumLines = 60
    /// A character may be long: what one card takes has an end.
    static let maximumScalars = 8000

    /// What somebody typed, from what Teams makes of it: with names instead of mentions.
    package static func plain(_ text: String) -> String {
        var out = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            out += rest[..<start]
            rest = rest[start...]
            guard rest.hasPrefix("<at>") || rest.hasPrefix("<at ") || rest.hasPrefix("</at>"),
                let end = rest.firstIndex(of: ">")
            else {
                out.append(rest.removeFirst())
                continue
            }
            rest = rest[rest.index(after: end)...]
        }
        out += rest
        return out.replacing("&nbsp;", with: " ").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&quot;", with: "\"").replacing("&amp;", with: "&").trimmed
    }

    /// The activity that tells of `notice`. What people and models wrote stands in text runs, in which nothing is markup.
    package static func body(_ notice: ChatNotice, to address: CallbackAddress.Teams) -> JSONObject {
        var blocks: [JSONValue] = []
        if !notice.headline.isEmpty {
            blocks.append([
                "type": "TextBlock", "text": .string(notice.headline), "weight": "Bolder", "wrap": true,
            ])
        }
        if let question = address.question, notice.kind == .ended {
            blocks += runs(ChatNotice.cut(question, ChatNotice.maximumQuestionCharacters), [("italic", true)])
        }
        blocks += runs(notice.text)
        let footnote = [notice.footnote, notice.debate ?? ""].filter { !$0.isEmpty }.joined(separator: " · ")
        blocks += runs(footnote, [("size", "Small"), ("isSubtle", true)])
        var card = JSONObject([
            ("$schema", "http://adaptivecards.io/schemas/adaptive-card.json"), ("type", "AdaptiveCard"),
            ("version", "1.4"), ("body", .array(blocks)),
        ])
        if notice.kind == .started, let debate = notice.debate {
            card["actions"] = [button("Status", statusVerb, debate), button("Stop", stopVerb, debate)]
        }
        return JSONObject([
            ("type", "message"), ("from", ["id": .string(address.bot)]),
            ("conversation", ["id": .string(address.conversation)]),
            ("summary", .string(notice.headline.isEmpty ? "An answer" : notice.headline)),
            (
                "attachments",
                [["contentType": "application/vnd.microsoft.card.adaptive", "content": .object(card)]]
            ),
        ])
    }

    /// A block for each line.
    private static func runs(_ text: String, _ look: [(String, JSONValue)] = []) -> [JSONValue] {
        let text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximumScalars)))
        let lines = text.split(maxSplits: maximumLines - 1, whereSeparator: \.isNewline)
        return lines.map { line in
            let words = line.split(whereSeparator: \.isNewline).joined(separator: " ")
            return [
                "type": "RichTextBlock",
                "inlines": [.object(JSONObject([("type", "TextRun"), ("text", .string(words))] + look))],
            ]
        }
    }

    private static func button(_ title: String, _ verb: String, _ debate: String) -> JSONValue {
        [
            "type": "Action.Submit", "title": .string(title),
            "data": ["verb": .string(verb), "debate": .string(debate)],
        ]
    }
}
