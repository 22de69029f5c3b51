import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Asking for debates, and finding them.
    static let debateRoutes: [Route] =
        [
            create("/api/debates", "Asks for a debate."), create("/api/debate", "The same."),
            create("/api/debate-this", "The same."),
            Route(
                .post, "/api/debates/estimate", .permission(.debatesRead),
                "What a debate would cost: takes what a create takes, asks nobody, stores nothing.", cost: .read,
                takes: .init(.createDebate), answers: .json(.estimate), refuses: [.noAgents]
            ) { $0.estimate.handle },
            Route(
                .get, "/api/debates/estimate-cost", .permission(.debatesRead),
                "What a debate of so many agents and rounds would cost.",
                items: [
                    .query("num_agents", .whole(DebateSpec.agentsRange), "3 unless told."),
                    .query("num_rounds", .whole(DebateSpec.roundsRange), "9 unless told."),
                    .text("model_types", maximum: 1024, "Models, providers, or `provider|model`, separated by commas."),
                ], answers: .json(.estimate), refuses: [.noAgents]
            ) { $0.estimate.numbers },
            Route(
                .get, "/api/debates", .permission(.debatesRead), "Debates, newest first.",
                items: [
                    .limit(DebateFilter.limitRange, standard: 20), .offset,
                    .word("status", DebateStatus.filterWords, "Only of this status; `active` is not over."),
                    .text("q", maximum: 200, "Words that question or context begin with."),
                    .text("agent", maximum: 64, "A participant's name, or a provider."),
                    .text("tag", maximum: UpdateDebateRequest.maximumTagCharacters, "One of its tags."),
                    .text(
                        "cursor", maximum: DebateCursor.maximumCharacters,
                        "Pages that cost the same however deep: `start`, then `next_cursor` of each answer."),
                    .text("org", maximum: 64, "Only of this organization."), .since, .until,
                ], answers: .json(.debatePage)
            ) { $0.list.list },
            Route(
                .get, "/api/debates/active", .permission(.debatesRead), "Debates that are not over.",
                answers: .json(.activeDebates)
            ) { $0.list.active },
            Route(
                .get, "/api/debates/slug/{id}", .permission(.debatesRead), "One debate by its slug.", cost: .search,
                answers: .json(.debate)
            ) { $0.read.get },
        ] + readRoutes + actionRoutes

    private static func create(_ path: String, _ about: String) -> Route {
        Route(
            .post, path, .permission(.debatesCreate), about, cost: .create,
            items: [.idempotencyKey], takes: .init(.createDebate), answers: .json(.debateCreated),
            refuses: [
                .noAgents, .budgetExhausted, .idempotencyConflict, .idempotencyInProgress, .invalidIdempotencyKey,
                .notConfigured,
            ]
        ) { $0.create.handle }
    }

    /// What one debate is and says.
    private static let readRoutes: [Route] = [
        read("", "One debate by id or slug, running or finished.", .debate) { $0.read.get },
        read(
            "/messages", "What was said so far.", .messagePage,
            items: [.limit(ReadDebateHandler.messagesRange, standard: 50), .offset]
        ) { $0.read.messages },
        read(
            "/events", "Envelopes of the log after event `since`.", .eventPage, cost: .read,
            items: [
                .query("since", .whole(0...Int(JSONValue.maximumInteger)), "The last event that is known."),
                .limit(ReadDebateHandler.eventsRange, standard: 100),
            ]
        ) { $0.read.events },
        read("/consensus", "The decision, the votes, who dissents.", .consensus) { $0.read.consensus },
        read("/convergence", "How close the positions have come.", .convergence) { $0.read.convergence },
        read("/costs", "Tokens and cost, by agent.", .costs, cost: .read) { $0.read.costs },
        Route(
            .get, "/api/debates/{id}/export/{format}", .permission(.exportRead),
            "The whole debate as `json`, `csv`, `html`, `txt` or `md`.", cost: .bulk,
            items: [
                .query(
                    "table", .word(CSVExport.Table.allCases.map(\.rawValue)),
                    "Which table of it, for `csv`; `summary` unless told.")
            ],
            answers: .json(.debate) + .other("text/csv") + .other("text/html") + .other("text/plain")
                + .other("text/markdown")
        ) { $0.read.export },
    ]

    private static func read(
        _ part: String, _ about: String, _ schema: Schema, cost: RouteCost = .search, items: [RouteItem] = [],
        _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            .get, "/api/debates/{id}\(part)", .permission(.debatesRead), about, cost: cost, items: items,
            answers: .json(schema), responder)
    }

    /// What people do to a debate.
    private static let actionRoutes: [Route] = [
        Route(
            .post, "/api/debates/{id}/messages", .permission(.debatesUpdate),
            "Says something into the debate, or sets a constraint; the agents are told from the next round on.",
            bodyBytes: 64 * 1024, takes: .init(.remark), answers: .json(.action, 200, 202), refuses: [.debateFinished]
        ) { $0.actions.remark },
        Route(
            .post, "/api/debates/{id}/intervene", .permission(.debatesUpdate),
            "The same by `type`; it may also be pause, resume or stop.", bodyBytes: 64 * 1024,
            takes: .init(.intervention), answers: .json(.action, 200, 202), refuses: [.debateFinished]
        ) { $0.actions.intervene },
        action("cancel", "Ends the debate now.", 200) { $0.actions.cancel },
        action("stop", "The same.", 200) { $0.actions.cancel },
        action("pause", "Starts no more calls until it is resumed.", 200, 202) { $0.actions.pause },
        action("resume", "Goes on.", 200, 202) { $0.actions.resume },
    ]

    private static func action(
        _ word: String, _ about: String, _ statuses: Int..., responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        let answers = statuses.map { RouteAnswers.json(.action, $0) }.reduce(RouteAnswers.undescribed, +)
        return Route(
            .post, "/api/debates/{id}/\(word)", .permission(.debatesUpdate), about, answers: answers,
            refuses: [.debateFinished], responder)
    }
}

extension RouteItem {
    static let idempotencyKey = header(
        "Idempotency-Key", .text(1...CreateDebateHandler.maxIdempotencyKeyCharacters, pattern: "^[!-~]+$"),
        "The same request under the same key gets the same answer for a day.")
}
