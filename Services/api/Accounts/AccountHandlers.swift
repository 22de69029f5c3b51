import ServiceKit

/// Every handler of accounts, on one loop.
struct AccountHandlers: Sendable {
    let signIn: SignInHandler
    let sessions: SessionsHandler
    let profile: ProfileHandler
    let secondFactor: SecondFactorHandler
    let keys: APIKeysHandler
    let users: UsersHandler
    let roles: RolesHandler
    let audit: AuditHandler
    let services: AccountServices

    init(_ services: AccountServices) {
        self.services = services
        signIn = SignInHandler(services: services)
        sessions = SessionsHandler(services: services)
        profile = ProfileHandler(services: services)
        secondFactor = SecondFactorHandler(services: services, signIn: SignInHandler(services: services))
        keys = APIKeysHandler(services: services)
        users = UsersHandler(services: services)
        roles = RolesHandler(services: services)
        audit = AuditHandler(services: services)
    }
}
