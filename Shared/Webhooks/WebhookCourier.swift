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

    private let store: WebhookStore
    private let box: SecretBox?
    private let addresses: AddressPolicy
    private let chat: ChatSettings
    private let teams: TeamsLogin
    private let loop: EventLoop
    private let log: Log
    private let metrics: Metrics

    /// - Parameters:
    ///   - box: opens the endpoints' secrets; nil sends nothing.
    ///   - settings: which targets may be connected to, and what Slack and Teams take.
    package init(
        store: WebhookStore, box: SecretBox?, settings: WebhookSettings, loop: EventLoop, log: Log, metrics: Metrics
    ) {
        self.store = store
        self.box = box
        addresses = settings.addresses
        chat = settings.chat
        teams = TeamsLogin(settings.chat.teams, loop: loop)
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
        while !Task.isCancelled {
            let sent = await deliverDue(box, client)
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
        KillPoint.reach(.afterDelivery)
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
        let letter: any Letter
        do throws(Unsendable) { letter = try await self.letter(for: claimed, box, client) } catch {
            // Another process may know a newer key or token already, and this one after its restart.
            return (nil, next(delivery, error.reason, nil))
        }
        let (status, result, retryAfter) = await send(letter, delivery, client)
        if status == 401, let letter = letter as? TeamsLetter { await teams.forget(letter.token) }
        switch result {
        case .taken: return (status, .delivered)
        case .takenAs(let thread):
            await goOn(in: thread, claimed, box)
            return (status, .delivered)
        case .refused(let reason): return (status, .dead(reason: reason))
        case .failed(let reason): return (status, next(delivery, reason, retryAfter))
        case .elsewhere(let reason):
            guard var answer = letter as? SlackLetter else { return (status, .dead(reason: reason)) }
            answer.answersCommand = true
            let (status, result, retryAfter) = await send(answer, delivery, client)
            switch result {
            case .taken, .takenAs: return (status, .delivered)
            case .failed: return (status, next(delivery, reason, retryAfter))
            case .refused, .elsewhere: return (status, .dead(reason: reason))
            }
        }
    }

    private func send(
        _ letter: any Letter, _ delivery: WebhookDelivery, _ client: HTTPClient
    ) async -> (status: Int?, LetterResult, retryAfter: Duration?) {
        do throws(HTTPClientError) {
            let reply = try await client.send(letter.request(delivery), deadlines: Self.deadlines)
            let retryAfter = reply.headers["retry-after"].flatMap { Int64($0) }.map { Duration.seconds(max(0, $0)) }
            return (reply.status, letter.read(reply, to: delivery), retryAfter)
        } catch {
            // A name may lead elsewhere tomorrow, but what is refused today is not tried for three days.
            if error.code == .addressRefused || error.code == .invalidRequest {
                return (nil, .refused("\(error.code.rawValue): \(error.message)"), nil)
            }
            return (nil, .failed(error.code.rawValue), nil)
        }
    }

    /// What follows goes below what was just posted.
    private func goOn(in thread: String, _ claimed: ClaimedDelivery, _ box: SecretBox) async {
        let delivery = claimed.delivery
        guard delivery.event == DebateCallback.openingType,
            let document = document(of: claimed, box), var address = CallbackAddress.Slack(document),
            address.thread == nil
        else { return }
        address.thread = thread
        let purpose = DebateCallback.purpose(delivery.debate, delivery.channel)
        do {
            try await store.keep(address: try box.seal(address.document, for: purpose), of: delivery)
        } catch {
            log.warning("thread not kept", .error(error), .debateID(delivery.debate))
        }
    }

    private func next(_ delivery: WebhookDelivery, _ reason: String, _ retryAfter: Duration?) -> WebhookStore.Outcome {
        let wait = DeliverySchedule.wait(
            afterAttempts: delivery.attempts, draw: Double.random(in: 0...1), retryAfter: retryAfter)
        return wait.map { .again(after: $0, reason: reason) } ?? .dead(reason: reason)
    }

    /// Why a message can not go out as things stand here.
    struct Unsendable: Error { let reason: String }

    private func letter(
        for claimed: ClaimedDelivery, _ box: SecretBox, _ client: HTTPClient
    ) async throws(Unsendable) -> any Letter {
        let delivery = claimed.delivery
        let unreadable = Unsendable(reason: "its address can not be read with the encryption keys that are set")
        if case .endpoint(let id, let secret, let headers) = claimed.recipient {
            guard let secret = try? box.open(secret, for: WebhookEndpoint.secretPurpose(id)),
                let headers = try? box.open(headers, for: WebhookEndpoint.headersPurpose(id))
            else { throw unreadable }
            let members = (try? JSONParser.parse(headers))?.object?.members ?? []
            return WebhookLetter(
                address: CallbackAddress.Webhook(
                    secret: secret, headers: members.compactMap { one in one.value.string.map { (one.key, $0) } }))
        }
        guard let document = document(of: claimed, box) else { throw unreadable }
        switch delivery.channel {
        case .webhook:
            guard let address = CallbackAddress.Webhook(document) else { throw unreadable }
            return WebhookLetter(address: address)
        case .slack:
            guard let address = CallbackAddress.Slack(document), let notice = ChatNotice(body: delivery.body) else {
                throw unreadable
            }
            var letter = SlackLetter(address: address, notice: notice, settings: chat)
            letter.answersCommand = chat.slackToken == nil
            guard !letter.answersCommand || letter.canAnswerCommand else {
                throw Unsendable(reason: "SLACK_BOT_TOKEN is not set")
            }
            return letter
        case .teams:
            guard let address = CallbackAddress.Teams(document), let notice = ChatNotice(body: delivery.body) else {
                throw unreadable
            }
            guard chat.teams.mayWrite(to: address.service) else {
                throw Unsendable(reason: "the Bot Connector's origin is not in TEAMS_SERVICE_URLS")
            }
            return TeamsLetter(address: address, notice: notice, token: try await teams.token(client))
        }
    }

    private func document(of claimed: ClaimedDelivery, _ box: SecretBox) -> [UInt8]? {
        guard case .callback(let sealed?) = claimed.recipient else { return nil }
        let delivery = claimed.delivery
        let purpose =
            delivery.debate.isEmpty
            ? DebateCallback.purpose(replying: delivery.message)
            : DebateCallback.purpose(delivery.debate, delivery.channel)
        return try? box.open(sealed, for: purpose)
    }
}
