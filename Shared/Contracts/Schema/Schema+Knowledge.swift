/// What an organization knows, and what of it a debate was shown.
extension Schema {
    package static let knowledgeID = text(pattern: "^kno_[0-9a-hjkmnp-tv-z]{26}$")

    /// Where an earlier conclusion comes from, and who cited it.
    static let knowledgeUse = object([
        "label": text.saying("How answers cite it: K1, K2, K3."), "item_id": .knowledgeID,
        "source_debate_id": .debateID, "confidence": .share, "age_days": .count, "cited_by": .agentNames,
    ]).named("KnowledgeUse")

    private static let itemMembers: KeyValuePairs<String, Schema> = [
        "id": .knowledgeID, "fact_id": .knowledgeID, "kind": word(["conclusion", "fact"]), "statement": .text,
        "content": .text, "question": text.orNull, "confidence": .share, "importance": .share,
        "agreement": share.orNull, "status": .constant("active"), "source": word(["debate", "user"]),
        "source_id": debateID.orNull, "debate_id": debateID.orNull, "receipt_id": receiptID.orNull, "demo": .boolean,
        "topics": list(.text), "tags": list(.text), "workspace_id": .text, "metadata": freeObject, "created_by": .text,
        "created_at": .time, "updated_at": .time, "age_days": .count, "cross_references": list(.text),
    ]
    package static let knowledgeItem = object(itemMembers).named("KnowledgeItem")
    package static let knowledgeItems = page("facts", of: knowledgeItem).named("KnowledgePage")
    package static let knowledgeMatches = page(
        "results",
        of: object(itemMembers).and(["score": share.saying("How well it fits.")]).named("KnowledgeMatch")
    ).and(["query": .text]).named("KnowledgeSearch")

    package static let knowledgeRemoved = object([
        "success": .constant(true), "id": .knowledgeID, "deleted": .constant(true),
    ]).named("KnowledgeRemoved")

    package static let knowledgeStats = object([
        "total_facts": .count, "total_nodes": .count, "total_items": .count, "conclusions": .count, "facts": .count,
        "average_confidence": .share, "newest_at": time.orNull, "oldest_at": time.orNull,
        "debates_informed": count.saying("Debates that were shown an earlier conclusion."), "workspace_id": .text,
    ]).named("KnowledgeStats")

    /// `POST /knowledge/facts`.
    package static let newFact = input([
        "statement": text.ifGiven, "content": text.ifGiven, "confidence": number(0...1).ifGiven,
        "topics": list(text(1...FactRequest.maximumTopicCharacters), maximum: FactRequest.maximumTopics).ifGiven,
        "tags": list(text(1...FactRequest.maximumTopicCharacters), maximum: FactRequest.maximumTopics).ifGiven,
        "metadata": freeObject.ifGiven.saying("Stored and given back; at most 16 KiB."),
    ]).saying("`statement` or `content` is needed, 1 to 10,000 characters.").named("NewFact")
}
