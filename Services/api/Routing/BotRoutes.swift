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
