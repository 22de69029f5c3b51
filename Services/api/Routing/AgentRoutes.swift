import Domain
import HTTP

extension Routes {
    /// The models that can be asked, and how they are rated.
    static let agentRoutes: [Route] = [
        Route(
            .get, "/api/leaderboard", .open,
            "Agents by their rating, the best first: `limit` 1…100, `offset`, `min_debates`."
        ) { $0.ratings.leaderboard },
        Route(.get, "/api/rankings", .open, "The same.") { $0.ratings.leaderboard },
        Route(
            .get, "/api/agents", .permission(.debatesRead),
            "Models that can be asked, and those that have a rating."
        ) { $0.ratings.agents },
        Route(
            .get, "/api/matches/recent", .permission(.debatesRead),
            "Rated debates, newest first, with what each changed: `limit` 1…100, `offset`."
        ) { $0.ratings.matches },
    ]
}
