import Domain

/// Webhook endpoints, and what was sent to them.
extension Schema {
    package static let webhookID = text(pattern: "^whk_[0-9a-hjkmnp-tv-z]{26}$")

    private static let webhookFields: KeyValuePairs<String, Schema> = [
        "url": text(1...WebhookRequest.maximumURLBytes).ifGiven, "events": list(.text).ifGiven,
        "secret": text.ifGiven.saying("`whsec_` and base 64 of 24 to 64 bytes; made when it is left out."),
        "description": text(0...WebhookRequest.maximumDescriptionCharacters).ifGiven,
        "headers": map(.text).ifGiven.saying("Sent with each delivery."), "active": boolean.ifGiven,
        "is_active": boolean.ifGiven,
    ]
    /// Who is told of the end of what is asked for.
    static let callbackFields: KeyValuePairs<String, Schema> = [
        "webhook_url": text(1...WebhookRequest.maximumURLBytes).ifGiven.saying(
            "Told of the end, like a webhook for `debate_end`."),
        "webhook_headers": map(.text).ifGiven.saying("Sent with each delivery."),
        "webhook_secret": text.ifGiven.saying("`whsec_` and base 64 of 24 to 64 bytes; made when it is left out."),
    ]
    static let webhookSecret = text.optional.saying(
        "What deliveries to a `webhook_url` are signed with; shown once, and only when it was not given.")

    package static let newWebhook = input(webhookFields).saying("`url` and `events` are needed.").named("NewWebhook")
    package static let webhookChange = input(webhookFields).named("WebhookChange")

    private static let endpointMembers: KeyValuePairs<String, Schema> = [
        "id": .webhookID, "webhook_id": .webhookID, "url": .text, "events": list(.text), "description": text.orNull,
        "header_names": list(.text), "active": .boolean, "is_active": .boolean, "created_by": .text,
        "created_at": .time, "updated_at": .time,
    ]
    package static let webhook = object(endpointMembers).and([
        "secret": text.optional.saying("Shown once, when it is made.")
    ]).named("Webhook")
    package static let webhooks = page("webhooks", of: object(endpointMembers).named("WebhookRow")).named("WebhookPage")

    private static let deliveryMembers: KeyValuePairs<String, Schema> = [
        "id": .text, "message_id": text.saying("The header `webhook-id` of every attempt."),
        "webhook_id": webhookID.orNull.saying("None for one to who asked for the debate."),
        "channel": word(CallbackChannel.allCases.map(\.rawValue)), "event": .text, "debate_id": debateID.orNull,
        "url": .text, "attempts": .count,
        "status": word(["pending", "delivered", "dead"]), "last_status": count.orNull, "error": text.orNull,
        "created_at": .time, "next_attempt_at": time.orNull, "ended_at": time.orNull,
    ]
    package static let webhookDeliveries = page(
        "deliveries", of: object(deliveryMembers).named("WebhookDeliveryRow")
    ).and(["dead_letters": list(object(deliveryMembers).named("WebhookDeliveryRow")).optional])
        .named("WebhookDeliveryPage")
    package static let webhookDelivery = object(deliveryMembers).and(["payload": .freeObject]).named("WebhookDelivery")
    package static let webhookEvents = page(
        "events", of: object(["name": .text, "description": .text]).named("WebhookEvent")
    ).and(["groups": list(.text)]).named("WebhookEvents")
    package static let webhookDone = object(["success": .constant(true), "id": .text, "message": .text])
        .named("WebhookDone")
}
