import Contracts
import Crypto
package import Domain
import HTTP
import Ledger
import Platform
package import Sockets

/// Somebody who watches a debate to its end, believes nothing, and comes back whenever the connection is lost.
package final class Viewer: Sendable {
    private struct State {
        var verifier: ChainVerifier
        var hashes: [[UInt8]] = []
        var types: [String] = []
        var problems: [String] = []
        var attempts = -1
        var connections = 0
        var tokens = 0
        var client: WebSocketClient?
        var isStopped = false
        var task: Task<Void, Never>?
    }

    private static let pause: Duration = .milliseconds(50)

    /// Where it connects to now, and who hears what was wrong with that, or nil.
    package struct Door: Sendable {
        let port: UInt16
        let patience: Duration
        let opened: @Sendable (String?) -> Void

        package init(
            port: UInt16, patience: Duration = .seconds(5), opened: @escaping @Sendable (String?) -> Void = { _ in }
        ) {
            self.port = port
            self.patience = patience
            self.opened = opened
        }
    }

    package let debate: DebateID
    package let name: String
    private let loop: EventLoop
    private let door: @Sendable (Int) -> Door?
    private let token: String
    private let state: Lock<State>

    /// - Parameter ports: where it connects to, the next one each time.
    package convenience init(debate: DebateID, name: String, loop: EventLoop, ports: [UInt16], token: String) {
        self.init(debate: debate, name: name, loop: loop, token: token) { Door(port: ports[$0 % ports.count]) }
    }

    /// - Parameter door: where it connects to for the n-th time, from 0; nil when there is nowhere to go now.
    package init(
        debate: DebateID, name: String, loop: EventLoop, token: String, door: @escaping @Sendable (Int) -> Door?
    ) {
        self.debate = debate
        self.name = name
        self.loop = loop
        self.door = door
        self.token = token
        state = Lock(State(verifier: ChainVerifier(debateID: debate)))
    }

    /// The newest event it has seen and checked.
    package var tail: LogTail { state.withLock { $0.verifier.tail } }
    /// The types of the events it has seen, in order.
    package var types: [String] { state.withLock { $0.types } }
    /// Whether it has seen `debate_end`.
    package var hasEnded: Bool { state.withLock { $0.verifier.hasEnded } }
    /// How often it had to connect.
    package var connections: Int { state.withLock { $0.connections } }
    /// Pieces of answers that it was shown while they were written.
    package var tokens: Int { state.withLock { $0.tokens } }
    /// What it can complain of: a gap, a repetition, a broken chain, an error, another log.
    package var problems: [String] { state.withLock { $0.problems } }

    package func start() {
        let task = Task(executorPreference: loop) { [self] in await run() }
        state.withLock { $0.task = task }
    }

    /// Loses its connection, and comes back.
    package func cut() async { await state.withLock { $0.client }?.abort() }

    /// Leaves. It watches on after the end of the debate until then, since nothing may follow.
    package func stop() async {
        let (task, client) = state.withLock { state in
            state.isStopped = true
            return (state.task, state.client)
        }
        await client?.abort()
        await task?.value
    }

    private var isDone: Bool { state.withLock { $0.isStopped } }

    private func run() async {
        while !isDone {
            do { try await watch() } catch {}
            guard !isDone, (try? await loop.sleep(for: Self.pause)) != nil else { return }
        }
    }

    /// One connection: from the beginning by the URL, later from where the last one was cut.
    private func watch() async throws {
        let attempt = state.withLock { state in
            state.attempts += 1
            return state.attempts
        }
        guard let door = door(attempt), let address = SocketAddress(ip: "127.0.0.1", port: door.port) else { return }
        let seen = tail
        let query = seen.seq == 0 ? "?debate_id=\(debate)&token=\(token)" : "?token=\(token)"
        let client: WebSocketClient
        do {
            client = try await WebSocketClient.connect(
                loop: loop, to: [address], host: "127.0.0.1:\(door.port)", target: "/ws\(query)", timeout: door.patience
            )
        } catch {
            door.opened("\(error)")
            throw error
        }
        door.opened(nil)
        let goesOn = state.withLock { state in
            state.client = client
            state.connections += 1
            return !state.isStopped
        }
        guard goesOn else { return await client.abort() }
        if seen.seq > 0 { try await client.send(resumption(after: seen)) }
        while let message = await client.receive() {
            guard case .text(let text) = message else { continue }
            take(Array(text.utf8))
        }
    }

    private func resumption(after tail: LogTail) -> String {
        let hash = Hex.encode(tail.hash)
        let message: JSONValue = [
            "type": "subscribe", "debate_id": .string(debate.text), "replay_from_seq": .int(tail.seq + 1),
            "after_hash": .string(hash),
        ]
        return String(decoding: message.bytes, as: UTF8.self)
    }

    private func take(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes, maximumBytes: EventEnvelope.maximumBytes),
            let type = value["type"]?.string
        else { return complain("a message that is no object with a type") }
        if value["prev_hash"] != nil { return takeEvent(bytes, type) }
        switch type {
        case "token_start", "token_delta", "token_end": state.withLock { $0.tokens += 1 }
        case "error": complain("error: \(String(decoding: bytes, as: UTF8.self))")
        case "warning" where value["data"]?["code"]?.string == WarningCode.logReset.rawValue:
            complain("LOG_RESET after event \(tail.seq)")
        default: break
        }
    }

    private func takeEvent(_ bytes: [UInt8], _ type: String) {
        state.withLock { state in
            do {
                try state.verifier.feed(envelope: bytes)
                state.hashes.append(state.verifier.tail.hash)
                state.types.append(type)
            } catch {
                state.problems.append("\(error)")
            }
        }
    }

    private func complain(_ text: String) { state.withLock { $0.problems.append(text) } }
}
