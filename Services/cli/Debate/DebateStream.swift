import Contracts
import Domain
import HTTP
import Ledger
import Platform
import Sockets

/// The events of one debate as they happen, each once and in order, through any number of lost connections.
///
/// It verifies the chain itself: what it hands out links to all it handed out before.
struct DebateStream: Sendable {
    /// A connection that says nothing for so long is dead; the gateway has a heartbeat of 15 s.
    static let silence = Duration.seconds(45)
    /// Connections in a row that brought no event.
    static let maxFruitless = 10

    /// What a viewer is told.
    enum Update: Sendable {
        case event(SealedEvent)
        /// An agent began to write.
        case writing(agent: String)
        case reconnecting(reason: String)
        /// The server's log is another one (a restore): everything is told again.
        case reset
        case warning(String)
    }

    let address: WebSocketAddress
    let token: Secret<String>?
    let caFile: String?
    let loop: EventLoop

    /// Follows a debate to its end, and returns its verified events.
    /// - Parameter show: called with everything that is new, in order.
    /// - Throws: ``CommandFailure``: `.failed` for a log that does not verify or a refusal, `.unavailable` when the
    ///   gateway can not be reached any more.
    func follow(_ debate: DebateID, show: (Update) -> Void) async throws -> [SealedEvent] {
        var log = FollowedLog(debate: debate)
        var backoff = Backoff(first: .milliseconds(100), cap: .seconds(3))
        var fruitless = 0
        while !log.verifier.hasEnded {
            let before = log.verifier.tail.seq
            let reason = try await connection(&log, show)
            guard !log.verifier.hasEnded else { break }
            try Task.checkCancellation()
            if log.verifier.tail.seq > before {
                fruitless = 0
                backoff.reset()
            }
            fruitless += 1
            guard fruitless < Self.maxFruitless else {
                throw CommandFailure(.unavailable, "the gateway at \(address.authority) does not answer: \(reason)")
            }
            show(.reconnecting(reason: reason))
            try await loop.sleep(for: backoff.next())
        }
        return log.events
    }

    /// One connection, to its end.
    /// - Returns: why it ended.
    private func connection(_ log: inout FollowedLog, _ show: (Update) -> Void) async throws -> String {
        let client: WebSocketClient
        do {
            client = try await open(resumingAfter: log.verifier.tail.seq, log.verifier.debateID)
        } catch {
            return "\(error)"
        }
        let watch = SilenceWatch(client: client, loop: loop, limit: Self.silence)
        defer { watch.stop() }
        while let message = await receive(from: client) {
            watch.heard()
            guard case .text(let text) = message else { continue }
            for update in try log.take(Array(text.utf8)) { show(update) }
            if log.verifier.hasEnded {
                await client.close()
                return ""
            }
        }
        try Task.checkCancellation()
        let words = await client.closeReason
        return words.isEmpty ? "the connection ended" : words
    }

    /// Cancelling drops the connection, which ends the wait.
    private func receive(from client: WebSocketClient) async -> WebSocketMessage? {
        await withTaskCancellationHandler {
            await client.receive()
        } onCancel: {
            Task(executorPreference: loop) { await client.abort() }  // ends at once; nobody needs to wait for it
        }
    }

    private func open(resumingAfter seq: Int64, _ debate: DebateID) async throws -> WebSocketClient {
        let addresses = try await Resolver.resolve(host: address.host, port: address.port)
        var headers: Headers = [:]
        if let value = token.flatMap({ HeaderValue("Bearer \($0.reveal())") }) { headers["Authorization"] = value }
        return try await WebSocketClient.connect(
            loop: loop, to: addresses, host: address.authority,
            target: "\(address.path)?debate_id=\(debate.text)&since_seq=\(seq)", headers: headers,
            tls: address.usesTLS ? TLSConfiguration(serverName: address.host, caFile: caFile) : nil)
    }
}

/// What was received of a log, verified.
struct FollowedLog {
    private(set) var verifier: ChainVerifier
    private(set) var events: [SealedEvent] = []

    init(debate: DebateID) { verifier = ChainVerifier(debateID: debate) }

    /// - Returns: what a viewer should be told of this message.
    /// - Throws: ``CommandFailure`` `.failed` for an event that does not verify, and when the server refuses.
    mutating func take(_ bytes: [UInt8]) throws -> [DebateStream.Update] {
        let message: StreamMessage
        do throws(ContractError) { message = try StreamMessage.parse(bytes) } catch {
            throw CommandFailure(.failed, "the gateway sent what is no message: \(error.message)")
        }
        switch message {
        case .event(let debate, let event):
            // Sent again after a reconnection; it was verified the first time.
            guard debate == verifier.debateID, event.seq > verifier.tail.seq else { return [] }
            do throws(ChainFault) { try verifier.feed(event) } catch {
                throw CommandFailure(.failed, "the log does not verify: \(error)")
            }
            events.append(event)
            return [.event(event)]
        case .writing(let agent): return [.writing(agent: agent)]
        case .logReset:
            self = FollowedLog(debate: verifier.debateID)
            return [.reset]
        case .warning(let code, let text): return code == WarningCode.shuttingDown.rawValue ? [] : [.warning(text)]
        case .failure(let text): throw CommandFailure(.failed, "the gateway refused: \(text)")
        case .other: return []
        }
    }
}

/// Drops a connection that has gone silent.
private final class SilenceWatch: Sendable {
    private let lastHeard = Lock(BootInstant.now())
    private let isOver = Lock(false)
    private let client: WebSocketClient
    private let loop: EventLoop
    private let limit: Duration

    init(client: WebSocketClient, loop: EventLoop, limit: Duration) {
        self.client = client
        self.loop = loop
        self.limit = limit
        loop.execute { self.arm(after: limit) }
    }

    func heard() { lastHeard.withLock { $0 = .now() } }
    func stop() { isOver.withLock { $0 = true } }

    private func arm(after delay: Duration) {
        loop.schedule(after: delay) { [weak self] in
            guard let self, !isOver.withLock({ $0 }) else { return }
            let left = limit - BootInstant.now().since(lastHeard.withLock { $0 })
            guard left <= .zero else { return arm(after: left) }
            let client = client
            Task(executorPreference: loop) { await client.abort() }  // ends at once; nobody needs to wait for it
        }
    }
}
