import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Who comes in, their own account, and their keys.
    static let accountRoutes: [Route] = signInRoutes + profileRoutes + secondFactorRoutes + keyRoutes

    private static let signInRoutes: [Route] = [
        open(
            "register", "Makes an account: the first is the administrator's.", .registration,
            .json(.signedIn, 201), refuses: [.emailTaken, .registrationClosed]
        ) { $0.accounts.signIn.register },
        open(
            "login", "Signs in; with a second factor in one call or in two.", .login, .json(.loginAnswer),
            refuses: [.invalidCredentials, .accountLocked]
        ) { $0.accounts.signIn.login },
        open(
            "refresh", "Renews a session: each refresh token is good once.", .refreshRequest, .json(.refreshed),
            refuses: [.invalidToken, .tokenExpired]
        ) { $0.accounts.sessions.refresh },
        open(
            "password/forgot", "Asks for a new password; the answer is the same for any address.", .passwordForgotten,
            .json(.done)
        ) { $0.accounts.profile.forgot },
        open(
            "password/reset", "Sets a password by a reset token.", .passwordReset, .json(.done),
            refuses: [.invalidResetToken]
        ) { $0.accounts.profile.reset },
        open(
            "mfa/verify", "Completes a sign-in by the second factor, or proves a code.", .secondFactor,
            .json(.secondFactorVerified),
            refuses: [
                .invalidCredentials, .invalidToken, .tokenExpired, .accountLocked, .wrongCode, .conflict,
                .authenticationRequired,
            ]
        ) { $0.accounts.secondFactor.verify },
    ]

    private static let profileRoutes: [Route] = [
        own(.post, "/api/auth/logout", "Ends this session, or this signed token.", .json(.loggedOut)) {
            $0.accounts.sessions.logout
        },
        own(.post, "/api/auth/logout-all", "Ends every session of the user.", .json(.loggedOut)) {
            $0.accounts.sessions.logoutAll
        },
        own(.get, "/api/auth/me", "The user who asks.", .json(.me)) { $0.accounts.profile.me },
        own(.patch, "/api/auth/me", "Changes the user's name.", .json(.me), takes: .profile) {
            $0.accounts.profile.update
        },
        own(
            .post, "/api/auth/password/change", "Changes the password, and ends every session.", .json(.done),
            takes: .passwordChange, cost: .credential, refuses: [.wrongPassword, .accountLocked]
        ) { $0.accounts.profile.changePassword },
        own(.get, "/api/auth/sessions", "The user's sessions.", .json(.sessions)) { $0.accounts.sessions.list },
        own(
            .delete, "/api/auth/sessions/{session}", "Ends one session.", .json(.done), refuses: [.sessionNotFound]
        ) { $0.accounts.sessions.end },
    ]

    private static let secondFactorRoutes: [Route] = [
        own(
            .post, "/api/auth/mfa/setup", "Makes a secret for an authenticator.", .json(.secondFactorStarted),
            refuses: [.conflict]
        ) { $0.accounts.secondFactor.setup },
        own(
            .post, "/api/auth/mfa/enable", "Turns the second factor on, and ends every session.", .json(.backupCodes),
            takes: .secondFactor, cost: .credential, refuses: [.conflict, .wrongCode]
        ) { $0.accounts.secondFactor.enable },
        own(
            .post, "/api/auth/mfa/disable", "Turns the second factor off.", .json(.done), takes: .secondFactorProof,
            cost: .credential, refuses: [.conflict, .wrongCode, .wrongPassword, .accountLocked]
        ) { $0.accounts.secondFactor.disable },
        own(
            .post, "/api/auth/mfa/backup-codes", "Makes new backup codes.", .json(.backupCodes),
            takes: .secondFactorProof, cost: .credential,
            refuses: [.conflict, .wrongCode, .wrongPassword, .accountLocked]
        ) { $0.accounts.secondFactor.backupCodes },
        own(
            .post, "/api/auth/mfa", "The same by `action`.", .json(.secondFactorAnyAnswer), takes: .secondFactorAction,
            cost: .credential,
            refuses: [.conflict, .wrongCode, .wrongPassword, .accountLocked, .invalidCredentials]
        ) { $0.accounts.secondFactor.byAction },
    ]

    private static let keyRoutes: [Route] =
        ["/api/auth/api-keys", "/api/auth/api-key"].map { path in
            own(
                .post, path, "Makes an API key, which is shown once.", .json(.keyCreated), takes: .keyWish,
                cost: .credential, refuses: [.conflict]
            ) { $0.accounts.keys.create }
        }
        + ["/api/auth/api-keys", "/api/keys"].flatMap { path in
            [
                own(.get, path, "The user's API keys.", .json(.keys)) { $0.accounts.keys.list },
                own(
                    .delete, path + "/{key}", "Ends a key, by its id or its shown prefix.", .json(.done),
                    refuses: [.keyNotFound]
                ) { $0.accounts.keys.delete },
            ]
        }

    private static func open(
        _ path: String, _ about: String, _ takes: Schema, _ answers: RouteAnswers, refuses: [ErrorCode] = [],
        _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            .post, "/api/auth/\(path)", .open, about, cost: .credential, bodyBytes: AccountRequests.maximumBytes,
            takes: .init(takes), answers: answers, refuses: refuses, responder)
    }

    private static func own(
        _ method: Method, _ path: String, _ about: String, _ answers: RouteAnswers, takes: Schema? = nil,
        cost: RouteCost? = nil, refuses: [ErrorCode] = [], _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            method, path, .permission(.accountManage), about, cost: cost, bodyBytes: AccountRequests.maximumBytes,
            takes: takes.map { .init($0, isRequired: false) }, answers: answers, refuses: refuses, responder)
    }
}
