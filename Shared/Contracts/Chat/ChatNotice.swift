package import Domain

/// What goes out to Slack and Teams, before it has their form: as it lies in the outbox.
package struct ChatNotice: Sendable, Equatable {
    package enum Kind: String, Sendable { case started, ended, said }

    /// The event type of a reply, as it stands in the outbox.
    package static let replyType = "chat.reply"
    /// Longer answers are cut; the whole stands in the debate.
    package static let maximumAnswerCharacters = 2400
    package static let maximumQuestionCharacters = 280

    package let kind: Kind
    /// Nil for a reply that is about none.
    package let debate: String?
    /// The one bold line.
    package let headline: String
    /// What people or models wrote: shown as plain as it is.
    package let text: String
    /// One small line.
    package let footnote: String

    /// Reads a body of the outbox.
    /// - Returns: nil for one that no chat is told.
    package init?(body: [UInt8]) {
        guard let value = try? JSONParser.parse(body), let type = value["type"]?.string, let data = value["data"]
        else { return nil }
        let debate = data["debate_id"]?.string
        switch type {
        case "debate.started":
            let agents = (data["agents"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
            self.init(.started, debate, "The debate has begun", data["question"]?.string ?? "", "Panel: \(agents)")
        case Self.replyType: self.init(.said, debate, "", data["text"]?.string ?? "", "")
        case WebhookEvent.debateCompleted.rawValue:
            let confidence = Int((data["confidence"]?.double ?? 0) * 100)
            let isAgreed = data["consensus_reached"]?.bool ?? false
            let receipt = data["receipt_id"]?.string.map { ", receipt \($0)" } ?? ""
            self.init(
                .ended, debate, isAgreed ? "The panel agrees" : "The panel does not agree",
                data["final_answer"]?.string ?? "There is no answer.",
                "Confidence \(confidence) %, \(data["rounds_used"]?.int ?? 0) rounds\(receipt)")
        case WebhookEvent.debateCancelled.rawValue:
            self.init(.ended, debate, "The debate was stopped", data["reason"]?.string ?? "", "")
        case WebhookEvent.debateFailed.rawValue, WebhookEvent.debateTimeout.rawValue:
            let headline =
                type == WebhookEvent.debateTimeout.rawValue ? "The debate ran out of time" : "The debate failed"
            self.init(.ended, debate, headline, data["reason"]?.string ?? data["final_answer"]?.string ?? "", "")
        default: return nil
        }
    }

    private init(_ kind: Kind, _ debate: String?, _ headline: String, _ text: String, _ footnote: String) {
        self.kind = kind
        self.debate = debate
        self.headline = headline
        self.text = Self.cut(text, Self.maximumAnswerCharacters)
        self.footnote = footnote
    }

    /// The body that tells of a debate's beginning.
    package static func started(
        _ debate: DebateID, question: String, agents: [String], at time: Timestamp
    ) -> [UInt8] {
        encode(
            "debate.started", at: time,
            ["debate_id": .string(debate.text), "question": .string(question), "agents": .strings(agents)])
    }

    /// The body of a reply.
    package static func reply(_ text: String, debate: DebateID?, at time: Timestamp) -> [UInt8] {
        encode(replyType, at: time, ["debate_id": .optional(debate?.text), "text": .string(text)])
    }

    private static func encode(_ type: String, at time: Timestamp, _ data: JSONValue) -> [UInt8] {
        CanonicalJSON.encode(
            ["type": .string(type), "timestamp": .string(time.iso8601), "data": data] as JSONValue)
    }

    package static func cut(_ text: String, _ count: Int) -> String {
        text.count <= count ? text : text.prefix(count - 1) + "…"
    }
}
