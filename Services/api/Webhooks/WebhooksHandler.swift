import Contracts
import Crypto
import Domain
import HTTP
import HTTPClient
import Platform
import ServiceKit
import Sockets
import Storage
import Webhooks

/// Webhook endpoints of the caller's organization, and what was sent to them.
struct WebhooksHandler: Sendable {
    static let maxOffset = 1_000_000

    let store: WebhookStore
    let target: WebhookTarget
    let trail: AuditTrail
    private var box: SecretBox? { target.box }

    // MARK: Endpoints

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        let activeOnly = query.text("active_only", maxCharacters: 8)?.lowercased() == "true"
        try query.finish()
        let page = try await read {
            try await store.endpoints(
                of: context.caller.organization, activeOnly: activeOnly, limit: limit, offset: offset)
        }
        return json(
            PageBody.make(
                "webhooks", items: page.items.map { body($0) }, total: page.total, limit: limit, offset: offset))
    }

    func create(_ request: Request, _ context: RequestContext) async throws -> Response {
        let box = try target.sealing()
        let input = try WebhookRequest.parse(request.body, isNew: true)
        guard let url = input.url, let events = input.events else { throw APIError(.validationFailed) }
        try target.check(url)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let id = WebhookID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
        let secret =
            try input.secret.map { try WebhookTarget.secret($0) } ?? RandomBytes.make(WebhookTarget.newSecretBytes)
        let endpoint = WebhookEndpoint(
            id: id, url: url, events: events, about: input.about,
            secret: try box.seal(secret, for: WebhookEndpoint.secretPurpose(id)),
            headers: try box.seal(Self.document(input.headers ?? []), for: WebhookEndpoint.headersPurpose(id)),
            isActive: input.isActive ?? true, createdBy: context.caller.subject, createdAt: now, updatedAt: now)
        let entry = told(.webhookCreated, endpoint, request, context)
        guard try await read({ try await store.add(endpoint, to: context.caller.organization, entry) }) else {
            throw APIError(
                ValidationFailure([
                    FieldProblem("url", "there are \(WebhookStore.maxEndpoints) webhooks already; remove one")
                ]))
        }
        return json(body(endpoint, secret: WebhookSignature.text(of: secret)))
    }

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        json(body(try await endpoint(context)))
    }

    func change(_ request: Request, _ context: RequestContext) async throws -> Response {
        var endpoint = try await endpoint(context)
        let box = try target.sealing()
        let input = try WebhookRequest.parse(request.body, isNew: false)
        if let url = input.url {
            try target.check(url)
            endpoint.url = url
        }
        endpoint.events = input.events ?? endpoint.events
        endpoint.about = input.about ?? endpoint.about
        endpoint.isActive = input.isActive ?? endpoint.isActive
        if let text = input.secret {
            endpoint.secret = try box.seal(
                try WebhookTarget.secret(text), for: WebhookEndpoint.secretPurpose(endpoint.id))
        }
        if let headers = input.headers {
            endpoint.headers = try box.seal(
                Self.document(headers), for: WebhookEndpoint.headersPurpose(endpoint.id))
        }
        endpoint.updatedAt = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let changed = endpoint
        let entry = told(.webhookChanged, changed, request, context)
        guard try await read({ try await store.change(changed, of: context.caller.organization, entry) }) else {
            throw APIError(.webhookNotFound)
        }
        return json(body(endpoint))
    }

    func remove(_ request: Request, _ context: RequestContext) async throws -> Response {
        let entry = trail.entry(.webhookRemoved, request, context, on: "webhook", context.parameter("webhook"))
        guard let id = WebhookID(context.parameter("webhook")),
            try await read({ try await store.remove(id, of: context.caller.organization, entry) })
        else { throw APIError(.webhookNotFound) }
        return json(WebhookBody.done(id.text, "Webhook removed"))
    }

    // MARK: Messages

    func events(_ request: Request, _ context: RequestContext) async throws -> Response { json(WebhookBody.events) }

    func test(_ request: Request, _ context: RequestContext) async throws -> Response {
        let endpoint = try await endpoint(context)
        let message = "msg_" + Hex.encode(try RandomBytes.make(16))
        let notice = WebhookPayload.test(
            of: endpoint.id, at: Timestamp(milliseconds: WallClock.nowMilliseconds()))
        try await read {
            try await store.send(notice, to: endpoint, message: message, of: context.caller.organization)
        }
        return json(WebhookBody.done(message, "A test is on its way"))
    }

    func deliveries(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        let endpoint = try await endpoint(context)
        let page = try await read {
            try await store.deliveries(
                to: endpoint.id, of: context.caller.organization, limit: limit, offset: offset)
        }
        return json(
            PageBody.make(
                "deliveries", items: page.items.map { Self.body($0) }, total: page.total, limit: limit, offset: offset))
    }

    func deadLetters(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        let page = try await read {
            try await store.dead(of: context.caller.organization, limit: limit, offset: offset)
        }
        let rows = page.items.map { Self.body($0) }
        return json(
            PageBody.make(
                "deliveries", items: rows, total: page.total, limit: limit, offset: offset,
                extra: [("dead_letters", .array(rows))]))
    }

    func deadLetter(_ request: Request, _ context: RequestContext) async throws -> Response {
        let message = context.parameter("delivery")
        guard let found = try await read({ try await store.dead(message, of: context.caller.organization) }) else {
            throw APIError(.webhookNotFound)
        }
        return json(Self.body(found, withPayload: true))
    }

    func retry(_ request: Request, _ context: RequestContext) async throws -> Response {
        let message = context.parameter("delivery")
        let entry = trail.entry(.webhookRetried, request, context, on: "webhook_message", message)
        guard try await read({ try await store.revive(message, of: context.caller.organization, entry) }) else {
            throw APIError(.webhookNotFound)
        }
        return json(WebhookBody.done(message, "It is sent again"))
    }

    // MARK: Parts

    private func told(
        _ action: AuditAction, _ endpoint: WebhookEndpoint, _ request: Request, _ context: RequestContext
    ) -> AuditEntry {
        let host = endpoint.url.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        return trail.entry(
            action, request, context, on: "webhook", endpoint.id.text, AuditDetails.webhook(host: host))
    }

    private func endpoint(_ context: RequestContext) async throws -> WebhookEndpoint {
        guard let id = WebhookID(context.parameter("webhook")),
            let found = try await read({ try await store.endpoint(id, of: context.caller.organization) })
        else { throw APIError(.webhookNotFound) }
        return found
    }

    private static func document(_ headers: [(name: String, value: String)]) -> [UInt8] {
        CanonicalJSON.encode(JSONObject(headers.map { ($0.name, .string($0.value)) }))
    }

    private func body(_ endpoint: WebhookEndpoint, secret: String? = nil) -> JSONValue {
        let headers = (try? box?.open(endpoint.headers, for: WebhookEndpoint.headersPurpose(endpoint.id)))
            .flatMap { $0 }.flatMap { try? JSONParser.parse($0) }?.object?.members.map(\.key)
        return WebhookBody.endpoint(
            endpoint.id, url: endpoint.url, events: endpoint.events, about: endpoint.about, headers: headers ?? [],
            isActive: endpoint.isActive, createdBy: endpoint.createdBy, createdAt: endpoint.createdAt,
            updatedAt: endpoint.updatedAt, secret: secret)
    }

    private static func body(_ delivery: WebhookDelivery, withPayload: Bool = false) -> JSONValue {
        WebhookBody.delivery(
            delivery.message, endpoint: delivery.endpoint, channel: delivery.channel, event: delivery.event,
            debate: delivery.debate,
            url: delivery.url, attempts: delivery.attempts, state: delivery.state.rawValue,
            lastStatus: delivery.lastStatus, failure: delivery.failure, createdAt: delivery.createdAt,
            nextAttempt: delivery.state == .pending ? delivery.nextAttempt : nil, endedAt: delivery.endedAt,
            body: withPayload ? delivery.body : nil)
    }

    private static func page(_ query: inout QueryReader) -> (limit: Int, offset: Int) {
        (
            query.int("limit", default: 20, in: WebhookStore.limitRange),
            query.int("offset", default: 0, in: 0...maxOffset)
        )
    }

    private func read<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch { throw APIError.unavailable(error) }
    }

    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
