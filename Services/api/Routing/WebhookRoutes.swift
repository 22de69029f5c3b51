import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Being told what happened.
    static let webhookRoutes: [Route] = [
        Route(
            .get, "/api/webhooks", .permission(.webhooksManage), "The organization's webhooks, newest first.",
            items: pages + [.text("active_only", maximum: 8, "`true` leaves out those that are switched off.")],
            answers: .json(.webhooks)
        ) { $0.webhooks.list },
        Route(
            .post, "/api/webhooks", .permission(.webhooksManage),
            "Makes one; its secret is shown in this answer and never again.", bodyBytes: 64 * 1024,
            takes: .init(.newWebhook), answers: .json(.webhook), refuses: [.notConfigured]
        ) { $0.webhooks.create },
        Route(
            .get, "/api/webhooks/events", .permission(.webhooksManage), "What one can be told of.",
            answers: .json(.webhookEvents)
        ) { $0.webhooks.events },
        Route(
            .get, "/api/webhooks/dead-letter", .permission(.webhooksManage), "What was given up, newest first.",
            items: pages, answers: .json(.webhookDeliveries)
        ) { $0.webhooks.deadLetters },
        Route(
            .get, "/api/webhooks/dead-letter/{delivery}", .permission(.webhooksManage), "One of them, with its body.",
            answers: .json(.webhookDelivery), refuses: [.webhookNotFound]
        ) { $0.webhooks.deadLetter },
        Route(
            .post, "/api/webhooks/dead-letter/{delivery}/retry", .permission(.webhooksManage), "Sends it again.",
            answers: .json(.webhookDone), refuses: [.webhookNotFound]
        ) { $0.webhooks.retry },
        Route(
            .get, "/api/webhooks/{webhook}", .permission(.webhooksManage), "One webhook, without its secret.",
            answers: .json(.webhook), refuses: [.webhookNotFound]
        ) { $0.webhooks.get },
        Route(
            .patch, "/api/webhooks/{webhook}", .permission(.webhooksManage), "Changes what is named.",
            bodyBytes: 64 * 1024, takes: .init(.webhookChange), answers: .json(.webhook),
            refuses: [.webhookNotFound, .notConfigured]
        ) { $0.webhooks.change },
        Route(
            .delete, "/api/webhooks/{webhook}", .permission(.webhooksManage),
            "Takes it away, with what was not delivered.", answers: .json(.webhookDone), refuses: [.webhookNotFound]
        ) { $0.webhooks.remove },
        Route(
            .post, "/api/webhooks/{webhook}/test", .permission(.webhooksManage), "Sends it a test.",
            answers: .json(.webhookDone), refuses: [.webhookNotFound]
        ) { $0.webhooks.test },
        Route(
            .get, "/api/webhooks/{webhook}/deliveries", .permission(.webhooksManage),
            "What was sent to it, newest first.", items: pages, answers: .json(.webhookDeliveries),
            refuses: [.webhookNotFound]
        ) { $0.webhooks.deliveries },
    ]

    private static let pages: [RouteItem] = [.limit(WebhookStore.limitRange, standard: 20), .offset]
}
