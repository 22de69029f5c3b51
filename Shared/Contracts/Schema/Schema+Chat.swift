/// What Slack and Teams are answered.
extension Schema {
    package static let slackStatus = object([
        "enabled": .boolean, "signing_secret_configured": .boolean, "bot_token_configured": .boolean,
        "encryption_configured": .boolean,
    ]).named("SlackStatus")
    package static let slackAnswer = object(["response_type": word(["in_channel", "ephemeral"]), "text": .text])
        .named("SlackAnswer")
    package static let teamsStatus = object([
        "enabled": .boolean, "app_id_configured": .boolean, "app_password_configured": .boolean,
        "tenant_configured": .boolean,
        "encryption_configured": .boolean,
    ]).named("TeamsStatus")
    package static let teamsAnswer = object([
        "ok": boolean.optional, "statusCode": Schema.count.optional.saying("Of what was invoked."),
        "type": text.optional,
        "value": text.optional.saying("Shown to who pressed the button."),
    ]).named("TeamsAnswer")
    package static let chatAcknowledged = object([
        "ok": boolean.optional, "challenge": text.optional.saying("Given back for `url_verification`."),
    ]).named("ChatAcknowledged")
}
