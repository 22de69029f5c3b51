import Domain
import PostgresClient

/// Items of knowledge as rows of `knowledge_items k`.
enum KnowledgeRows {
    static let columns = """
        k.id, k.kind, k.debate_id, k.receipt_id, k.question, k.content, (k.confidence * 10000)::bigint AS confidence, \
        (k.agreement * 10000)::bigint AS agreement, k.demo, k.topics, k.metadata::text AS metadata, k.created_by, k.created_at
        """

    static func item(_ row: Row) throws(PGError) -> KnowledgeItem {
        guard let id = KnowledgeID(try row.text("id")) else { throw PGError(.decoding, "id is no knowledge id") }
        return KnowledgeItem(
            id: id, kind: try row.member("kind"), debate: try row.optionalText("debate_id").flatMap { DebateID($0) },
            receipt: try row.optionalText("receipt_id").flatMap { ReceiptID($0) }, question: try row.text("question"),
            content: try row.text("content"), confidence: Ratio(tenThousandths: try row.int64("confidence")),
            agreement: try row.optionalInt64("agreement").map { Ratio(tenThousandths: $0) },
            isDemo: try row.bool("demo"), topics: try row.textArray("topics"),
            metadata: Array(try row.text("metadata").utf8), createdBy: try row.text("created_by"),
            createdAt: try row.timestamp("created_at"))
    }

    /// Keeps the decision of the debate whose projection this transaction has written. Its answer is `problem`, null when
    /// all went well: the function takes back what it could not finish, so that the end does not fail with it.
    static func keep(_ debate: DebateID, receipt: ReceiptID?) -> SQL {
        """
        SELECT remember_conclusion(\(KnowledgeID(conclusionOf: debate)), d.id, \(receipt?.text), d.topic, d.final_answer,
                                   d.confidence, d.agreement, d.demo, d.completed_at) AS problem
        FROM debates d WHERE d.id = \(debate)
        """
    }

    /// Takes a debate's conclusion out of the debates that were shown it, running ones too.
    static func forgetRecalls(of debate: DebateID) -> SQL {
        EmptiedEvents.statement(
            with: "FROM knowledge_recalls k",
            "k.item_id = \(KnowledgeID(conclusionOf: debate)) AND e.debate_id = k.debate_id AND e.seq = k.seq")
    }
}
