import Contracts
import Crypto
import Domain
import HTTP
import Messaging
import Platform
import ServiceKit
import Storage
import Webhooks

/// Slack's side: slash commands, events and buttons, each signed by Slack. Everything is answered within its three
/// seconds; what takes longer is a debate, whose end goes out by itself.
struct SlackHandler: Sendable {
    static let maxFields = 50
    /// As long as a signature is taken, and then some.
    static let memory = Duration.seconds(2 * SlackSignature.window)

    let settings: BotSettings
    let chat: ChatSettings
    let desk: BotDesk
    let replays: ReplayGuard

    func status(_ request: Request, _ context: RequestContext) async throws -> Response {
        json(
            ChatBody.status(
                isEnabled: settings.slackSecret != nil,
                parts: [
                    ("signing_secret_configured", settings.slackSecret != nil),
                    ("bot_token_configured", chat.slackToken != nil),
                    ("encryption_configured", desk.target.box != nil),
                ]))
    }

    // MARK: What Slack sends

    /// `/aragora …`
    func commands(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await verify(request)
        let form = try form(request)
        guard let channel = form["channel_id"], let user = form["user_id"] else { throw Self.malformed }
        let responseURL = form["response_url"]
        let reply = await desk.answer(
            BotDesk.Asking(
                command: ChatCommand(SlackMessage.plain(form["text"] ?? "")),
                key: key("command", form["trigger_id"] ?? request[header: Self.signatureHeader] ?? ""),
                context: self.context(context, team: form["team_id"], user: user), channel: .slack,
                place: Self.place(channel)
            ) { CallbackAddress.Slack(channel: channel, responseURL: responseURL, question: $0).document })
        return json(SlackMessage.answer(reply.text, isPublic: false))
    }

    /// Mentions and direct messages, and Slack's question whether we are there.
    func events(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await verify(request)
        guard let body = try? JSONParser.parse(request.body) else { throw Self.malformed }
        if body["type"]?.string == "url_verification" {
            return json(ChatBody.challenge(body["challenge"]?.string ?? ""))
        }
        guard body["type"]?.string == "event_callback", let event = body["event"], let mention = Mention(event) else {
            return json(ChatBody.acknowledged)
        }
        let caller = self.context(context, team: body["team_id"]?.string, user: mention.user)
        let asking = BotDesk.Asking(
            command: ChatCommand(SlackMessage.plain(mention.text)),
            key: key("event", body["event_id"]?.string ?? mention.thread), context: caller, channel: .slack,
            place: Self.place(mention.channel)
        ) { CallbackAddress.Slack(channel: mention.channel, thread: mention.thread, question: $0).document }
        let reply = await desk.answer(asking)
        if !reply.isBegun { try await desk.say(reply, as: asking) }
        return json(ChatBody.acknowledged)
    }

    /// Our buttons.
    func interactions(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await verify(request)
        guard let text = try form(request)["payload"], let payload = try? JSONParser.parse(Array(text.utf8)),
            let user = payload["user"]?["id"]?.string
        else { throw Self.malformed }
        guard payload["type"]?.string == "block_actions", let action = payload["actions"]?.array?.first,
            let name = action["value"]?.string, let channel = payload["channel"]?["id"]?.string
        else { return json(ChatBody.acknowledged) }
        let caller = self.context(
            context, team: payload["team"]?["id"]?.string ?? payload["user"]?["team_id"]?.string, user: user)
        let message = payload["message"]
        let address = CallbackAddress.Slack(
            channel: channel, thread: message?["thread_ts"]?.string ?? message?["ts"]?.string,
            responseURL: payload["response_url"]?.string)
        let asking = BotDesk.Asking(
            command: .status(name),
            key: key("action", payload["trigger_id"]?.string ?? action["action_ts"]?.string ?? name), context: caller,
            channel: .slack, place: Self.place(channel)
        ) { _ in address.document }
        switch action["action_id"]?.string {
        case SlackMessage.statusAction: try await desk.say(await desk.answer(asking), as: asking)
        case SlackMessage.stopAction: try await desk.say(await desk.stop(name, caller), as: asking)
        default: break
        }
        return json(ChatBody.acknowledged)
    }

    // MARK: Parts

    /// A mention, or a message to us alone, by a person.
    private struct Mention {
        let channel: String
        let user: String
        let text: String
        let thread: String

        init?(_ event: JSONValue) {
            let isForUs =
                event["type"]?.string == "app_mention"
                || (event["type"]?.string == "message" && event["channel_type"]?.string == "im")
            guard isForUs, event["bot_id"] == nil, event["subtype"] == nil, let channel = event["channel"]?.string,
                let user = event["user"]?.string, let text = event["text"]?.string,
                let thread = event["thread_ts"]?.string ?? event["ts"]?.string
            else { return nil }
            self.channel = channel
            self.user = user
            self.text = text
            self.thread = thread
        }
    }

    private static let signatureHeader = "x-slack-signature"

    /// - Throws: `not_configured`, or `invalid_token` for what Slack did not sign just now, or what came before.
    private func verify(_ request: Request) async throws {
        guard let secret = settings.slackSecret else {
            throw APIError(
                .notConfigured, "Slack is not set up here.",
                suggestion: "set SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN of your Slack app")
        }
        let signature = request[header: Self.signatureHeader] ?? ""
        let verdict = SlackSignature.check(
            signature, request.body, timestamp: request[header: "x-slack-request-timestamp"] ?? "",
            secret: Array(secret.reveal().utf8), now: WallClock.nowMilliseconds() / 1000)
        guard verdict == .valid else {
            throw APIError(
                .invalidToken, verdict == .stale ? "The request is too old." : "The signature is not Slack's.")
        }
        guard await replays.admit(scope: "slack", digest: signature, for: Self.memory) else {
            throw APIError(.invalidToken, "The request was seen before.")
        }
    }

    private func form(_ request: Request) throws -> QueryItems {
        do { return try QueryItems(request.body, limit: Self.maxFields) } catch { throw Self.malformed }
    }

    /// Everyone in the workspace is a member, each with a name of its own.
    private func context(_ context: RequestContext, team: String?, user: String) -> RequestContext {
        var context = context
        context.principal = Principal(subject: Self.subject(team, user), role: .member)
        return context
    }

    private static func subject(_ team: String?, _ user: String) -> String {
        "slack:" + ChatNotice.cut(team ?? "", 32) + ":" + ChatNotice.cut(user, 32)
    }

    private static func place(_ channel: String) -> String { "slack:" + ChatNotice.cut(channel, 64) }
    private func key(_ kind: String, _ id: String) -> String { "slack \(kind) \(ChatNotice.cut(id, 200))" }
    private static let malformed = APIError(.badRequest, "This is not what Slack sends.")
    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
