import Platform

/// Who may ask for debates from a chat.
struct BotSettings: Sendable {
    /// Nil: Slack's requests are refused.
    let slackSecret: Secret<String>?
    /// The Bot Connector's OpenID metadata.
    let connector: String

    init(reading reader: inout SettingsReader) {
        slackSecret = reader.secret(
            "SLACK_SIGNING_SECRET", help: "The Slack app's signing secret; without it Slack's requests are refused.")
        let name = "TEAMS_OPENID_URL"
        connector = reader.string(
            name, default: "https://login.botframework.com/v1/.well-known/openidconfiguration",
            help: "The Bot Connector's OpenID metadata; for proxies and tests.")
        if !connector.hasPrefix("https://"), !connector.hasPrefix("http://") {
            reader.report("\(name): expected https://host/path, got \"\(connector)\"")
        }
    }
}
