/// What an earlier debate concluded, as a new one on a similar question is shown it.
///
/// Untrusted: people and models wrote it. Old: the world may have changed since.
package struct RecalledConclusion: Hashable, Sendable {
    /// Conclusions that one debate is shown.
    package static let maximum = 3
    /// Characters of a question; longer ones are cut.
    package static let questionCharacters = 500
    /// Characters of a conclusion; longer ones are cut.
    package static let conclusionCharacters = 2000
    /// Confidence from which a conclusion is kept.
    package static let threshold = Ratio(0.7)

    /// How answers name it: `K1`, `K2`, `K3`.
    package let label: String
    package let item: KnowledgeID
    /// The debate that concluded it.
    package let source: DebateID
    package let question: String
    package let conclusion: String
    /// Whether question or conclusion are longer than what is shown.
    package let isTruncated: Bool
    package let confidence: Ratio
    package let concludedAt: Timestamp
    /// Whole days from then to the debate that is shown it.
    package let ageDays: Int

    package init(
        label: String, item: KnowledgeID, source: DebateID, question: String, conclusion: String, isTruncated: Bool,
        confidence: Ratio, concludedAt: Timestamp, ageDays: Int
    ) {
        self.label = label
        self.item = item
        self.source = source
        self.question = question
        self.conclusion = conclusion
        self.isTruncated = isTruncated
        self.confidence = confidence
        self.concludedAt = concludedAt
        self.ageDays = ageDays
    }

    /// - Parameters:
    ///   - number: from 1.
    ///   - now: when the new debate is created.
    package init(
        number: Int, item: KnowledgeID, source: DebateID, question: String, conclusion: String, confidence: Ratio,
        concludedAt: Timestamp, now: Timestamp
    ) {
        let shown = (
            Self.cut(question, to: Self.questionCharacters), Self.cut(conclusion, to: Self.conclusionCharacters)
        )
        self.init(
            label: "K\(number)", item: item, source: source, question: shown.0 ?? question,
            conclusion: shown.1 ?? conclusion, isTruncated: shown.0 != nil || shown.1 != nil, confidence: confidence,
            concludedAt: concludedAt,
            ageDays: Int(max(0, now.milliseconds - concludedAt.milliseconds) / 86_400_000))
    }

    /// The beginning of a text that is too long; nil for one that is not.
    private static func cut(_ text: String, to limit: Int) -> String? {
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return nil }
        return String(scalars[..<end]) + "…"
    }
}

/// An earlier conclusion, and who of the panel named it in what they said.
package struct KnowledgeUse: Hashable, Sendable {
    package let conclusion: RecalledConclusion
    /// In the panel's order.
    package let citedBy: [String]
    package init(conclusion: RecalledConclusion, citedBy: [String]) {
        self.conclusion = conclusion
        self.citedBy = citedBy
    }
}
