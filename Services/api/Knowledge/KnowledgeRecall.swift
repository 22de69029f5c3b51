import Domain
import Platform
import Storage

/// Finds what earlier debates concluded on similar questions. A debate never waits long for it, nor fails with it.
struct KnowledgeRecall: Sendable {
    /// What the look may take of a create.
    static let deadline = Duration.milliseconds(100)

    let store: KnowledgeStore
    let settings: KnowledgeSettings
    let metrics: Metrics
    let log: Log

    var isOn: Bool { settings.isOn }

    /// At most ``RecalledConclusion/maximum``, labelled in the order of their similarity.
    func conclusions(
        for spec: DebateSpec, in organization: OrganizationID, now: Timestamp
    ) async -> [RecalledConclusion] {
        guard isOn, spec.usesKnowledge else { return [] }
        do throws(StorageError) {
            let items = try await store.similar(
                to: spec.topic, in: organization, demo: spec.usesDemoAgents, maxAgeDays: settings.maxAgeDays,
                limit: RecalledConclusion.maximum, deadline: Self.deadline)
            metrics.add(.knowledgeRecalls, [items.isEmpty ? "none" : "found"])
            return items.enumerated().compactMap { index, item in
                item.debate.map {
                    RecalledConclusion(
                        number: index + 1, item: item.id, source: $0, question: item.question,
                        conclusion: item.content, confidence: item.confidence, concludedAt: item.createdAt, now: now)
                }
            }
        } catch {
            metrics.add(.knowledgeRecalls, ["failed"])
            log.warning("earlier conclusions not looked up, the debate goes on without", .error(error))
            return []
        }
    }
}
