package import Domain

/// Something that is known, under the names by which the official clients and the original call its parts.
package struct KnowledgeBody: Sendable {
    let id: KnowledgeID
    let isConclusion: Bool
    let debate: DebateID?
    let receipt: ReceiptID?
    let question: String
    let content: String
    let confidence: Ratio
    let agreement: Ratio?
    let isDemo: Bool
    let topics: [String]
    let metadata: [UInt8]
    let createdBy: String
    let createdAt: Timestamp
    let now: Timestamp
    let score: Ratio?

    /// - Parameters:
    ///   - metadata: canonical JSON of an object.
    ///   - score: how well it fits a search; left out of the body when nil.
    package init(
        id: KnowledgeID, isConclusion: Bool, debate: DebateID?, receipt: ReceiptID?, question: String, content: String,
        confidence: Ratio, agreement: Ratio?, isDemo: Bool, topics: [String], metadata: [UInt8], createdBy: String,
        createdAt: Timestamp, now: Timestamp, score: Ratio?
    ) {
        self.id = id
        self.isConclusion = isConclusion
        self.debate = debate
        self.receipt = receipt
        self.question = question
        self.content = content
        self.confidence = confidence
        self.agreement = agreement
        self.isDemo = isDemo
        self.topics = topics
        self.metadata = metadata
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.now = now
        self.score = score
    }

    package var json: JSONValue {
        let source = debate.map { JSONValue.string($0.text) } ?? .null
        var object = JSONObject([
            ("id", .string(id.text)), ("fact_id", .string(id.text)),
            ("kind", .string(isConclusion ? "conclusion" : "fact")), ("statement", .string(content)),
            ("content", .string(content)), ("question", question.isEmpty ? .null : .string(question)),
            ("confidence", .ratio(confidence)), ("importance", .ratio(confidence)), ("agreement", .optional(agreement)),
            ("status", "active"), ("source", .string(isConclusion ? "debate" : "user")), ("source_id", source),
            ("debate_id", source), ("receipt_id", .optional(receipt?.text)), ("demo", .bool(isDemo)),
            ("topics", .strings(topics)), ("tags", .strings(topics)), ("workspace_id", "default"),
            ("metadata", .encoded(metadata)), ("created_by", .string(createdBy)),
            ("created_at", .string(createdAt.iso8601)), ("updated_at", .string(createdAt.iso8601)),
            ("age_days", .int(max(0, now.milliseconds - createdAt.milliseconds) / 86_400_000)),
            ("cross_references", .array([])),
        ])
        if let score { object.append("score", .ratio(score)) }
        return .object(object)
    }

    /// `GET /knowledge/stats`.
    /// - Parameter recalls: debates that were shown an earlier conclusion.
    package static func stats(
        conclusions: Int, facts: Int, confidence: Ratio, newest: Timestamp?, oldest: Timestamp?, recalls: Int,
        organization: String
    ) -> JSONValue {
        let total = JSONValue.int(Int64(conclusions + facts))
        return [
            "total_facts": total, "total_nodes": total, "total_items": total, "conclusions": .int(Int64(conclusions)),
            "facts": .int(Int64(facts)), "average_confidence": .ratio(confidence),
            "newest_at": .optional(newest?.iso8601), "oldest_at": .optional(oldest?.iso8601),
            "debates_informed": .int(Int64(recalls)), "workspace_id": .string(organization),
        ]
    }
}
