import Contracts
import Domain
import HTTP

extension Routes {
    /// Debates asked for in a chat. Open: each request carries the chat's own signature.
    static let botRoutes: [Route] = [
        slack("commands", "Slash commands, as Slack sends them.", .slackAnswer) { $0.slack.commands },
        slack("events", "Mentions and direct messages, as Slack sends them.", .chatAcknowledged) { $0.slack.events },
        slack("interactions", "Pressed buttons, as Slack sends them.", .chatAcknowledged) { $0.slack.interactions },
        Route(
            .get, "/api/bots/slack/status", .permission(.debatesRead), "Whether Slack is set up.",
            answers: .json(.slackStatus)
        ) { $0.slack.status },
        Route(
            .post, "/api/bots/teams/messages", .open,
            "Messages and pressed buttons, as the Bot Connector sends them, with its own token.", bodyBytes: 256 * 1024,
            answers: .json(.teamsAnswer),
            refuses: [.notConfigured, .invalidToken, .badRequest, .permissionDenied, .upstreamUnavailable]
        ) { $0.teams.messages },
        Route(
            .get, "/api/bots/teams/status", .permission(.debatesRead), "Whether Teams is set up.",
            answers: .json(.teamsStatus)
        ) { $0.teams.status },
    ]

    private static func slack(
        _ word: String, _ about: String, _ schema: Schema, _ responder: @escaping @Sendable (Routes) -> Responder
    ) -> Route {
        Route(
            .post, "/api/bots/slack/\(word)", .open, about, bodyBytes: 256 * 1024,
            items: [
                .header("X-Slack-Signature", .text(0...200), "`v0=` and HMAC-SHA256 in hex."),
                .header("X-Slack-Request-Timestamp", .text(0...20), "Unix seconds."),
            ],
            answers: .json(schema), refuses: [.notConfigured, .invalidToken, .badRequest], responder)
    }
}
