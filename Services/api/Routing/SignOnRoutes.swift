import Contracts
import Domain
import HTTP

extension Routes {
    /// Signing in at an identity provider. `/auth/sso/X` and `/api/sso/X` are `/api/auth/sso/X`.
    static let signOnRoutes: [Route] = [
        open(.get, "sso/status", "Whether there is single sign-on, and where it begins.", .json(.signOnStatus)) {
            $0.signOn.status
        },
        open(
            .get, "sso/login", "Sends the browser to the identity provider.", .empty(302),
            refuses: [.notConfigured, .notImplemented, .upstreamUnavailable, .signOnFailed]
        ) { $0.signOn.login },
        open(
            .get, "sso/callback", "Where the provider sends the browser back to: signs in.", .json(.loginAnswer),
            items: [
                .text("state", maximum: 128, "What the browser was sent away with."),
                .text("code", maximum: SignOnHandler.maximumCode, "What the provider gave it."),
                .text("iss", maximum: 2048, "Who answers (RFC 9207)."),
                .text("error", maximum: 256, "Why there is no code."),
            ],
            refuses: [.notConfigured, .notImplemented, .upstreamUnavailable, .signOnFailed]
        ) { $0.signOn.callback },
        open(.get, "sso/metadata", "SAML's: not implemented.", .empty(501), refuses: [.notImplemented]) {
            $0.signOn.saml
        },
        open(.get, "saml/login", "Not implemented.", .empty(501), refuses: [.notImplemented]) { $0.signOn.saml },
        open(.post, "saml/acs", "Not implemented.", .empty(501), refuses: [.notImplemented]) { $0.signOn.saml },
        open(.get, "saml/metadata", "Not implemented.", .empty(501), refuses: [.notImplemented]) { $0.signOn.saml },
        Route(
            .get, "/api/auth/sso/logout", .permission(.accountManage), "Ends this session; the provider's goes on.",
            cost: .write, answers: .json(.loggedOut)
        ) { $0.accounts.sessions.logout },
        Route(
            .post, "/api/auth/sso/logout", .permission(.accountManage), "The same.",
            bodyBytes: AccountRequests.maximumBytes, answers: .json(.loggedOut)
        ) { $0.accounts.sessions.logout },
    ]

    private static func open(
        _ method: Method, _ path: String, _ about: String, _ answers: RouteAnswers, items: [RouteItem] = [],
        refuses: [ErrorCode] = [], _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            method, "/api/auth/\(path)", .open, about, cost: path == "sso/status" ? .read : .credential,
            bodyBytes: AccountRequests.maximumBytes, items: items, answers: answers, refuses: refuses, responder)
    }
}
