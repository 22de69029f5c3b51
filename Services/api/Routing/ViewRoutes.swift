import Contracts
import Domain
import HTTP

extension Routes {
    /// One debate seen from several sides.
    static let viewRoutes: [Route] = [
        view("summary", "What it came to, in a few sentences.", .summary) { $0.views.summary },
        view("explain", "Why it ended as it did.", .explanation) { $0.views.explanation },
        view("explainability", "The same.", .explanation) { $0.views.explanation },
        view("diagnostics", "Who answered, who did not, what to do about it.", .diagnostics) { $0.views.diagnostics },
        view("impasse", "Whether it goes nowhere, and what says so.", .impasse) { $0.views.impasse },
        view("rounds", "What was said in each round, counted.", .rounds) { $0.views.rounds },
        view("votes", "Every vote, and what each agent would have decided alone.", .votes) { $0.views.votes },
        view("agents", "Who took part, and how.", .debateAgents) { $0.views.agents },
        view("positions", "How each agent's position changed.", .positions) { $0.views.positions },
    ]

    private static func view(
        _ word: String, _ about: String, _ schema: Schema, _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            .get, "/api/debates/{id}/\(word)", .permission(.debatesRead), about, cost: .search, answers: .json(schema),
            responder)
    }
}
