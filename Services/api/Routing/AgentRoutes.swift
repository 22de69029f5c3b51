import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// The models that can be asked, and how they are rated.
    static let agentRoutes: [Route] = [
        leaderboard("/api/leaderboard", "Agents by their rating, the best first."),
        leaderboard("/api/rankings", "The same."),
        Route(
            .get, "/api/agents", .permission(.debatesRead),
            "Models that can be asked, and those that have a rating.", answers: .json(.agents)
        ) { $0.ratings.agents },
        Route(
            .get, "/api/models", .permission(.debatesRead),
            "Models of the configured providers that have a price; others can be asked for by name.",
            answers: .json(.models)
        ) { $0.ratings.models },
        Route(
            .get, "/api/matches/recent", .permission(.debatesRead),
            "Rated debates, newest first, with what each changed.",
            items: [.limit(RatingStore.limitRange, standard: 20), .offset], answers: .json(.matches)
        ) { $0.ratings.matches },
    ]

    private static func leaderboard(_ path: String, _ about: String) -> Route {
        Route(
            .get, path, .open, about,
            items: [
                .limit(RatingStore.limitRange, standard: 20), .offset,
                .query("min_debates", .whole(0...RatingsHandler.maxOffset), "Only who was in so many."),
            ], answers: .json(.leaderboard)
        ) { $0.ratings.leaderboard }
    }
}
