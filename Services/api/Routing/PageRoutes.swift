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
                .get, path, "The page for people, in HTML.", answers: .other("text/html") + .empty(304),
                instant: { $0.pages.page })
        }
        + ["/assets/{version}/{path}", "/assets/{version}/{path}/{file}"].map { path in
            Route(
                .get, path, "A file of the page, which never changes.",
                answers: .other("text/javascript") + .other("text/css") + .other("image/svg+xml"),
                refuses: [.notFound], instant: { $0.pages.file })
        } + [
            Route(
                .get, "/robots.txt", "Asks crawlers to stay away.", answers: .other("text/plain"),
                instant: { $0.pages.robots })
        ]
}
