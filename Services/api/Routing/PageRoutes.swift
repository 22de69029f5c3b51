import Contracts
import Domain
import HTTP

extension Routes {
    /// The page for people: one document at every path that it has a view for, and the files that it names.
    ///
    /// Open, because nothing here is anybody's: what a view shows it asks the API for, with the visitor's credential.
    static let pageRoutes: [Route] =
        [
            "/", "/debates", "/debates/{view}", "/debates/{view}/{part}", "/spectate/{view}", "/receipts",
            "/receipts/{view}", "/leaderboard", "/leaderboard/{view}", "/admin", "/admin/{view}",
            "/admin/{view}/{part}",
            "/account", "/account/{view}", "/signin",
        ].map { path in
            Route(
                .get, path, .open, "The page for people, in HTML.", cost: .probe,
                answers: .other("text/html") + .empty(304)
            ) { $0.pages.page }
        }
        + ["/assets/{version}/{path}", "/assets/{version}/{path}/{file}"].map { path in
            Route(
                .get, path, .open, "A file of the page, which never changes.", cost: .probe,
                answers: .other("text/javascript") + .other("text/css") + .other("image/svg+xml"),
                refuses: [.notFound]
            ) { $0.pages.file }
        } + [
            Route(
                .get, "/robots.txt", .open, "Asks crawlers to stay away.", cost: .probe, answers: .other("text/plain")
            ) { $0.pages.robots }
        ]
}
