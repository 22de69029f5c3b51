import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Debates asked for together, found by words, and counted.
    static let batchRoutes: [Route] =
        [
            Route(
                .post, "/api/debates/batch", .permission(.debatesCreate), "Asks for up to 1000 debates, all or none.",
                cost: .bulk, bodyBytes: BatchRequest.maximumBytes, items: [.idempotencyKey], takes: .init(.createBatch),
                answers: .json(.batchCreated),
                refuses: [
                    .noAgents, .budgetExhausted, .idempotencyConflict, .idempotencyInProgress, .invalidIdempotencyKey,
                    .notConfigured,
                ]
            ) { $0.batches.post },
            Route(
                .get, "/api/debates/batch", .permission(.debatesRead), "Batches, newest first.", cost: .search,
                items: [
                    .limit(DebateFilter.limitRange, standard: 20), .offset,
                    .word("status", Schema.batchStates, "Only of this state."),
                ], answers: .json(.batches)
            ) { $0.batches.list },
            Route(
                .get, "/api/debates/batch/{batch}/status", .permission(.debatesRead), "How far a batch is.",
                answers: .json(.batchStatus), refuses: [.batchNotFound]
            ) { $0.batches.status },
            statistics("stats", "What came of the debates of the last days.", .debateStatistics) {
                $0.statistics.debates
            },
            statistics("statistics", "The same.", .debateStatistics) { $0.statistics.debates },
            statistics("stats/agents", "What the models were asked in the last days.", .modelStatistics) {
                $0.statistics.models
            },
        ] + ["/api/search", "/api/debates/search"].flatMap(search)

    private static func statistics(
        _ word: String, _ about: String, _ schema: Schema, _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            .get, "/api/debates/\(word)", .permission(.debatesRead), about, cost: .search,
            items: [
                .query(
                    "days", .whole(StatisticsReader.days), "How many; \(StatisticsHandler.standardDays) unless told.")
            ], answers: .json(schema), responder)
    }

    private static func search(_ path: String) -> [Route] {
        [
            Route(
                .get, path, .permission(.debatesRead), "Debates by words, the best first.", cost: .search,
                items: [
                    .text("query", maximum: SearchRequest.maximumCharacters, "Words, each the beginning of one."),
                    .text("q", maximum: SearchRequest.maximumCharacters, "The same, when there is no `query`."),
                    .limit(DebateFilter.limitRange, standard: 20), .offset,
                    .word("status", DebateStatus.filterWords, "Only of this status; `active` is not over."),
                    .text("domain", maximum: 64, "Only with this `domain` in the metadata."),
                    .text("tag", maximum: UpdateDebateRequest.maximumTagCharacters, "Only with this tag."), .since,
                    .until,
                ], answers: .json(.found)
            ) { $0.search.get },
            Route(
                .post, path, .permission(.debatesRead), "The same.", cost: .search, bodyBytes: 16 * 1024,
                takes: .init(.search), answers: .json(.found)
            ) { $0.search.post },
        ]
    }
}
