import Domain
import HTTP

extension Routes {
    /// Asking for debates, reading them, and taking part in them.
    static let debateRoutes: [Route] = [
        Route(.post, "/api/debates", .permission(.debatesCreate), "Asks for a debate.") { $0.create.handle },
        Route(.post, "/api/debate", .permission(.debatesCreate), "The same.") { $0.create.handle },
        Route(.post, "/api/debate-this", .permission(.debatesCreate), "The same.") { $0.create.handle },
        Route(
            .post, "/api/debates/estimate", .permission(.debatesRead),
            "What a debate would cost: takes what a create takes, asks nobody, stores nothing."
        ) { $0.estimate.handle },
        Route(
            .get, "/api/debates", .permission(.debatesRead),
            "Debates, newest first: `limit` 1…100, `offset`, `status`, `q`, `agent`, `since`, `until`."
        ) { $0.list.list },
        Route(.get, "/api/debates/active", .permission(.debatesRead), "Debates that are not over.") { $0.list.active },
        Route(.get, "/api/debates/slug/{id}", .permission(.debatesRead), "One debate by its slug.") { $0.read.get },
        Route(.get, "/api/debates/{id}", .permission(.debatesRead), "One debate by id or slug, running or finished.") {
            $0.read.get
        },
        Route(.get, "/api/debates/{id}/messages", .permission(.debatesRead), "What was said so far: `limit`, `offset`.")
        { $0.read.messages },
        Route(
            .post, "/api/debates/{id}/messages", .permission(.debatesUpdate), "Says something into the debate.",
            bodyBytes: 64 * 1024
        ) { $0.actions.remark },
        Route(
            .get, "/api/debates/{id}/events", .permission(.debatesRead),
            "Envelopes of the log after event `since`, at most `limit`."
        ) { $0.read.events },
        Route(.get, "/api/debates/{id}/consensus", .permission(.debatesRead), "The decision, the votes, who dissents.")
        { $0.read.consensus },
        Route(.get, "/api/debates/{id}/convergence", .permission(.debatesRead), "How close the positions have come.") {
            $0.read.convergence
        },
        Route(.get, "/api/debates/{id}/costs", .permission(.debatesRead), "Tokens and cost, by agent.") {
            $0.read.costs
        },
        Route(
            .get, "/api/debates/{id}/export/{format}", .permission(.exportRead), "The whole debate as `json` or `md`."
        ) { $0.read.export },
        Route(.post, "/api/debates/{id}/cancel", .permission(.debatesUpdate), "Ends the debate now.") {
            $0.actions.cancel
        },
        Route(.post, "/api/debates/{id}/stop", .permission(.debatesUpdate), "The same.") { $0.actions.cancel },
        Route(
            .post, "/api/debates/{id}/pause", .permission(.debatesUpdate), "Starts no more calls until it is resumed."
        ) { $0.actions.pause },
        Route(.post, "/api/debates/{id}/resume", .permission(.debatesUpdate), "Goes on.") { $0.actions.resume },
    ]
}
