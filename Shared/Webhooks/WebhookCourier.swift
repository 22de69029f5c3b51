import Contracts
package import Crypto
import Domain
package import HTTPClient
package import Platform
package import Sockets
package import Storage

/// Sends what the outbox holds, at least once each, signed; any process may run one, beside others.
///
/// The row is the truth: an attempt leases it for longer than the attempt can take, and whoever dies leaves it to the next.
package struct WebhookCourier: Service {
    package let name = "webhook-courier"

    /// Messages under way at once.
    static let batch = 16
    /// Between two looks at an outbox that has nothing due.
    static let interval = Duration.seconds(1)
    /// More than an attempt may take.
    static let lease = Duration.seconds(60)
    static let deadlines = Deadlines(
        connect: .seconds(5), firstByte: .seconds(10), idle: .seconds(5), total: .seconds(15))
    static let maxResponseBytes = 64 * 1024
    /// Old rows are removed in every n-th look.
    static let purgeLooks = 3600

    private let store: WebhookStore
    private let box: SecretBox?
    private let addresses: AddressPolicy
    private let loop: EventLoop
    private let log: Log
    private let metrics: Metrics

    /// - Parameters:
    ///   - box: opens the endpoints' secrets; nil sends nothing.
    ///   - addresses: which targets may be connected to.
    package init(
        store: WebhookStore, box: SecretBox?, addresses: AddressPolicy, loop: EventLoop, log: Log, metrics: Metrics
    ) {
        self.store = store
        self.box = box
        self.addresses = addresses
        self.loop = loop
        self.log = log
        self.metrics = metrics
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        metrics.declare(.webhookDeliveries)
        guard let box else { return await shutdown.wait(for: .draining) }
        let client = makeClient()
        let looking = Task(executorPreference: loop) { await look(box, client) }  // awaited below
        await shutdown.wait(for: .draining)
        looking.cancel()
        await looking.value
        await client.close()
    }

    private func look(_ box: SecretBox, _ client: HTTPClient) async {
        var looks = 0
        while !Task.isCancelled {
            let sent = await deliverDue(box, client)
            looks += 1
            if looks % Self.purgeLooks == 0 { _ = try? await store.purge() }
            if sent == 0 { try? await loop.sleep(for: Self.interval * Double.random(in: 0.8...1.2)) }
        }
    }

    /// A client for addresses that users gave.
    package func makeClient() -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.addresses = addresses
        configuration.userAgent = "aragora-webhooks"
        return HTTPClient(loop: loop, configuration: configuration)
    }

    /// Sends what is due, once.
    /// - Returns: how many were tried; 0 also when Postgres did not answer.
    package func deliverDue(_ box: SecretBox, _ client: HTTPClient) async -> Int {
        let claimed: [ClaimedDelivery]
        do throws(StorageError) { claimed = try await store.claim(limit: Self.batch, lease: Self.lease) } catch {
            log.warning("outbox not read", .error(error))
            return 0
        }
        await withTaskGroup(of: Void.self) { group in
            for one in claimed {
                group.addTask(executorPreference: loop) { await deliver(one, box, client) }
            }
        }
        return claimed.count
    }

    private func deliver(_ claimed: ClaimedDelivery, _ box: SecretBox, _ client: HTTPClient) async {
        let delivery = claimed.delivery
        let (status, outcome) = await attempt(claimed, box, client)
        switch outcome {
        case .delivered: metrics.add(.webhookDeliveries, ["delivered"])
        case .again(_, let reason):
            metrics.add(.webhookDeliveries, ["failed"])
            log.info("webhook not taken", .reason(reason), .attempt(delivery.attempts))
        case .dead(let reason):
            metrics.add(.webhookDeliveries, ["dead"])
            log.warning("webhook given up", .reason(reason), .attempt(delivery.attempts), .debateID(delivery.debate))
        }
        do throws(StorageError) {
            try await store.settle(delivery, status: status, outcome)
            if status == 410, let endpoint = delivery.endpoint { try await store.switchOff(endpoint) }
        } catch {
            // Sent again when the lease is over: receivers know it by its id.
            log.warning("webhook's outcome not stored", .error(error))
        }
    }

    private func attempt(
        _ claimed: ClaimedDelivery, _ box: SecretBox, _ client: HTTPClient
    ) async -> (status: Int?, WebhookStore.Outcome) {
        let delivery = claimed.delivery
        guard let address = address(of: claimed, box) else {
            return (nil, .dead(reason: "its secret can not be read with the encryption keys that are set"))
        }
        do throws(HTTPClientError) {
            let reply = try await client.send(
                request(delivery, to: address), deadlines: Self.deadlines)
            if (200...299).contains(reply.status) { return (reply.status, .delivered) }
            if reply.status == 410 { return (410, .dead(reason: "the receiver says 410: gone for good")) }
            let retryAfter = reply.headers["retry-after"].flatMap { Int64($0) }.map { Duration.seconds(max(0, $0)) }
            return (reply.status, next(delivery, "the receiver answered \(reply.status)", retryAfter))
        } catch {
            // A name may lead elsewhere tomorrow, but what is refused today is not tried for three days.
            if error.code == .addressRefused || error.code == .invalidRequest {
                return (nil, .dead(reason: "\(error.code.rawValue): \(error.message)"))
            }
            return (nil, next(delivery, error.code.rawValue, nil))
        }
    }

    private func next(_ delivery: WebhookDelivery, _ reason: String, _ retryAfter: Duration?) -> WebhookStore.Outcome {
        let wait = DeliverySchedule.wait(
            afterAttempts: delivery.attempts, draw: Double.random(in: 0...1), retryAfter: retryAfter)
        return wait.map { .again(after: $0, reason: reason) } ?? .dead(reason: reason)
    }

    private func address(of claimed: ClaimedDelivery, _ box: SecretBox) -> CallbackAddress.Webhook? {
        switch claimed.recipient {
        case .endpoint(let id, let secret, let headers):
            guard let secret = try? box.open(secret, for: WebhookEndpoint.secretPurpose(id)),
                let headers = try? box.open(headers, for: WebhookEndpoint.headersPurpose(id))
            else { return nil }
            let members = (try? JSONParser.parse(headers))?.object?.members ?? []
            return CallbackAddress.Webhook(
                secret: secret, headers: members.compactMap { one in one.value.string.map { (one.key, $0) } })
        case .callback(let sealed):
            let purpose = DebateCallback.purpose(claimed.delivery.debate, claimed.delivery.channel)
            return sealed.flatMap { try? box.open($0, for: purpose) }.flatMap(CallbackAddress.Webhook.init)
        }
    }

    private func request(_ delivery: WebhookDelivery, to address: CallbackAddress.Webhook) -> HTTPClientRequest {
        let now = WallClock.nowMilliseconds() / 1000
        var fields: HTTPClientHeaders = [
            "Content-Type": "application/json", "webhook-id": delivery.message, "webhook-timestamp": String(now),
            "webhook-signature": WebhookSignature.sign(
                delivery.body, message: delivery.message, timestamp: now, secret: address.secret),
        ]
        for header in address.headers { fields.append(header.name, header.value) }
        return HTTPClientRequest(
            method: "POST", url: delivery.url, headers: fields, body: delivery.body,
            maxResponseBytes: Self.maxResponseBytes)
    }
}
