import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// What an organization knows from its debates and its people.
    static let knowledgeRoutes: [Route] = [
        Route(
            .get, "/api/knowledge/search", .permission(.knowledgeRead),
            "Conclusions and facts that fit some words, the best first.", cost: .search,
            items: [
                .query(
                    "q", .text(1...KnowledgeHandler.maxQueryCharacters),
                    "Words; quotes, `or` and `-` as in a search engine.", isRequired: true),
                workspace, .limit(KnowledgeFilter.limitRange, standard: 10), .offset,
            ], answers: .json(.knowledgeMatches)
        ) { $0.knowledge.search },
        facts("/api/knowledge/facts", "Conclusions and facts, newest first."), facts("/api/facts", "The same."),
        newFact("/api/knowledge/facts", "Writes a fact down."), newFact("/api/facts", "The same."),
        Route(
            .get, "/api/knowledge/facts/{fact}", .permission(.knowledgeRead), "One of them.",
            answers: .json(.knowledgeItem), refuses: [.knowledgeNotFound]
        ) { $0.knowledge.get },
        Route(
            .delete, "/api/knowledge/facts/{fact}", .permission(.knowledgeUpdate),
            "Takes it away: no later debate is shown it.", answers: .json(.knowledgeRemoved),
            refuses: [.knowledgeNotFound]
        ) { $0.knowledge.remove },
        stats("/api/knowledge/stats", "How much is known."), stats("/api/knowledge/mound/stats", "The same."),
    ]

    private static let workspace = RouteItem.text(
        "workspace_id", maximum: 128, "`default` is one's own; any other has nothing to show.")

    private static func facts(_ path: String, _ about: String) -> Route {
        Route(
            .get, path, .permission(.knowledgeRead), about, cost: .search,
            items: [
                .text("topic", maximum: 200, "Only with this topic or these words."),
                .text("tag", maximum: 200, "The same."),
                .query("min_confidence", .number(0...1), "Only of this confidence or more."),
                .text("source", maximum: 32, "`debate` or `user`."),
                .text("status", maximum: 32, "All are `active`."), workspace,
                .limit(KnowledgeFilter.limitRange, standard: 50), .offset,
            ], answers: .json(.knowledgeItems)
        ) { $0.knowledge.facts }
    }

    private static func newFact(_ path: String, _ about: String) -> Route {
        Route(
            .post, path, .permission(.knowledgeUpdate), about, bodyBytes: 128 * 1024, takes: .init(.newFact),
            answers: .json(.knowledgeItem)
        ) { $0.knowledge.create }
    }

    private static func stats(_ path: String, _ about: String) -> Route {
        Route(.get, path, .permission(.knowledgeRead), about, answers: .json(.knowledgeStats)) { $0.knowledge.stats }
    }
}
