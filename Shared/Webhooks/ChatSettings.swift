package import Platform

/// How what goes to Slack and Teams is sent; for whoever sends.
package struct ChatSettings: Sendable {
    package static let slackAPI = "https://slack.com/api"

    /// Nil: nothing can be posted, only commands answered where Slack says.
    package let slackToken: Secret<String>?
    /// Without a slash at its end.
    package let slackAPI: String
    package let teams: TeamsSettings

    package init(reading reader: inout SettingsReader) {
        slackToken = reader.secret("SLACK_BOT_TOKEN", help: "The Slack app's token (`xoxb-…`), to post results with.")
        slackAPI = Self.trimmed(
            reader.string(
                "SLACK_API_URL", default: Self.slackAPI, help: "Where Slack's methods are; for proxies and tests."))
        teams = TeamsSettings(reading: &reader)
    }

    private static func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }
}
