import Contracts
import Crypto
import Domain
import HTTP
import Messaging
import Platform
import ServiceKit
import Webhooks

/// Teams' side: what the Bot Connector sends, with a token that it signed. Everything that is said goes out by itself.
struct TeamsHandler: Sendable {
    /// Longer than the connector's tokens are good.
    static let memory = Duration.seconds(2 * 86_400)
    /// What people are shown of an id.
    static let maximumShown = 64

    let settings: TeamsSettings
    /// Nil unless Teams is set up.
    let connector: BotConnector?
    let desk: BotDesk
    let replays: ReplayGuard

    func status(_ request: Request, _ context: RequestContext) async throws -> Response {
        json(
            ChatBody.status(
                isEnabled: connector != nil,
                parts: [
                    ("app_id_configured", settings.appID != nil), ("app_password_configured", settings.password != nil),
                    ("tenant_configured", settings.tenant != nil),
                    ("encryption_configured", desk.target.box != nil),
                ]))
    }

    func messages(_ request: Request, _ context: RequestContext) async throws -> Response {
        let activity = try await verified(request)
        guard let origin = activity.origin else { return json(ChatBody.acknowledged) }
        guard let tenant = settings.tenant, origin.isOnly(of: tenant) else {
            throw APIError(.permissionDenied, "Only people of one tenant are heard here.")
        }
        var caller = context
        caller.principal = Principal(subject: Self.subject(origin, tenant), role: .member)
        func asking(_ command: ChatCommand) -> BotDesk.Asking {
            BotDesk.Asking(
                command: command, key: Self.key(origin), context: caller, channel: .teams, place: Self.place(origin)
            ) {
                CallbackAddress.Teams(
                    service: activity.service, conversation: origin.conversation, bot: origin.bot, question: $0
                ).document
            }
        }
        switch activity.content {
        case .said(let text):
            let command = ChatCommand(text)
            // Whatever else comes twice, as it may, is known by its key.
            if case .vote = command, await !isFirst(origin) { return json(ChatBody.acknowledged) }
            let reply = await desk.answer(asking(command))
            if !reply.isBegun { try await desk.say(reply, as: asking(command)) }
        case .pressed(TeamsMessage.statusVerb, let debate):
            let status = asking(.status(debate))
            try await desk.say(await desk.answer(status), as: status)
        case .pressed(TeamsMessage.stopVerb, let debate):
            try await desk.say(await desk.stop(debate, caller), as: asking(.status(debate)))
        case .pressed, .other: return json(ChatBody.acknowledged)
        }
        return json(activity.isInvoke ? ChatBody.invoked("The answer comes below.") : ChatBody.acknowledged)
    }

    // MARK: Whose it is

    /// - Throws: `not_configured`, or `invalid_token` for what the Bot Connector did not sign for us and this activity.
    private func verified(_ request: Request) async throws -> TeamsActivity {
        guard let connector else {
            throw APIError(
                .notConfigured, "Teams is not set up here.",
                suggestion: "set TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID of your bot")
        }
        guard let header = request[header: "authorization"], header.prefix(7).lowercased() == "bearer " else {
            throw Self.foreign
        }
        let token: BotConnector.Verified
        do throws(BotConnector.Failure) { token = try await connector.verify(String(header.dropFirst(7))) } catch {
            guard case .unreachable(let reason) = error else {
                desk.log.info("Teams' token refused", .reason("\(error)"))
                throw Self.foreign
            }
            desk.log.warning("Bot Connector's keys not read", .reason(reason))
            throw APIError(.upstreamUnavailable, "The Bot Connector's keys can not be read.")
        }
        guard let activity = TeamsActivity(request.body) else {
            throw APIError(.badRequest, "This is not what the Bot Connector sends.")
        }
        guard activity.service == token.service, token.channels.isEmpty || token.channels.contains(activity.channel)
        else { throw Self.foreign }
        guard activity.channel == TeamsActivity.teams else {
            throw APIError(.permissionDenied, "Only Teams is heard here.")
        }
        guard settings.mayWrite(to: activity.service) else {
            throw APIError(
                .permissionDenied, "This Bot Connector may not be answered.",
                suggestion: "name its origin in TEAMS_SERVICE_URLS")
        }
        return activity
    }

    private func isFirst(_ origin: TeamsActivity.Origin) async -> Bool {
        await replays.admit(
            scope: "teams", digest: Hex.encode(SHA256.hash(Self.key(origin))), for: Self.memory)
    }

    /// Everyone who can write to the bot is a member, each with a name of its own.
    private static func subject(_ origin: TeamsActivity.Origin, _ tenant: String) -> String {
        "teams:" + tenant + ":" + short(origin.user)
    }

    private static func place(_ origin: TeamsActivity.Origin) -> String {
        "teams:" + ChatNotice.cut(origin.conversation, maximumShown)
    }

    private static func key(_ origin: TeamsActivity.Origin) -> String {
        "teams " + Hex.encode(SHA256.hash(origin.conversation + "\n" + origin.id))
    }

    /// Microsoft's ids of people are as long as a UUID; what is longer is known by its hash.
    private static func short(_ id: String) -> String {
        id.utf8.count <= 36 ? id : Hex.encode(Array(SHA256.hash(id).prefix(16)))
    }

    private static let foreign = APIError(.invalidToken, "The token is not the Bot Connector's, for this activity.")
    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
