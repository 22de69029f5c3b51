package import Domain

/// Earlier conclusions on the wire: the event, and what a debate and its receipt say of their use.
extension EventCodec {
    static func fields(of conclusion: RecalledConclusion) -> JSONObject {
        JSONObject([
            ("label", .string(conclusion.label)), ("item_id", .string(conclusion.item.text)),
            ("source_debate_id", .string(conclusion.source.text)), ("question", .string(conclusion.question)),
            ("conclusion", .string(conclusion.conclusion)), ("truncated", .bool(conclusion.isTruncated)),
            ("confidence", .ratio(conclusion.confidence)), ("concluded_at", .string(conclusion.concludedAt.iso8601)),
            ("age_days", .int(Int64(conclusion.ageDays))),
        ])
    }

    /// Without texts: where it comes from, and who cited it.
    package static func json(of use: KnowledgeUse) -> JSONValue {
        let conclusion = use.conclusion
        return [
            "label": .string(conclusion.label), "item_id": .string(conclusion.item.text),
            "source_debate_id": .string(conclusion.source.text), "confidence": .ratio(conclusion.confidence),
            "age_days": .int(Int64(conclusion.ageDays)), "cited_by": .strings(use.citedBy),
        ]
    }
}

extension EventFields {
    func recalledConclusion() throws(ContractError) -> RecalledConclusion {
        guard let item = KnowledgeID(try text("item_id")), let source = DebateID(try text("source_debate_id")),
            let concludedAt = Timestamp(iso8601: try text("concluded_at"))
        else { throw ContractError(.malformed, "\(type): an id or a time that is none") }
        return RecalledConclusion(
            label: try text("label"), item: item, source: source, question: try text("question"),
            conclusion: try text("conclusion"), isTruncated: try bool("truncated"),
            confidence: try ratio("confidence"), concludedAt: concludedAt, ageDays: try int("age_days"))
    }
}
