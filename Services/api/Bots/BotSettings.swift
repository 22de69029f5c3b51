import Platform

/// Who may ask for debates from a chat.
struct BotSettings: Sendable {
    /// Nil: Slack's requests are refused.
    let slackSecret: Secret<String>?

    init(reading reader: inout SettingsReader) {
        slackSecret = reader.secret(
            "SLACK_SIGNING_SECRET", help: "The Slack app's signing secret; without it Slack's requests are refused.")
    }
}
