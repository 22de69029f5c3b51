import Contracts
import Domain
import HTTP
import HTTPClient
import Ledger
import Sockets

/// A client as users write them: creates debates over HTTP, watches them over WebSocket, checks the chain itself.
struct DebateClient: Sendable {
    let loop: EventLoop
    let http: HTTPClient
    let apiPort: UInt16
    let gatewayPort: UInt16

    /// How long a debate may take before the benchmark gives it up as lost.
    static let patience = Duration.seconds(60)

    init(loop: EventLoop, apiPort: UInt16, gatewayPort: UInt16 = 0) {
        self.loop = loop
        self.apiPort = apiPort
        self.gatewayPort = gatewayPort
        http = HTTPClient(loop: loop)
    }

    /// - Returns: the new debate's id. - Throws: when the answer is not 2xx.
    func create(rounds: Int = 3) async throws -> DebateID {
        let body = """
            {"question":"Should a three-person startup use Postgres or MongoDB?","agents":["demo","demo","demo"],\
            "rounds":\(rounds),"consensus":"unanimous"}
            """
        let reply = try await http.send(
            HTTPClientRequest(
                method: "POST", url: "http://127.0.0.1:\(apiPort)/api/v1/debates",
                headers: ["Authorization": "Bearer \(BenchServices.token)", "Content-Type": "application/json"],
                body: Array(body.utf8)),
            deadlines: Deadlines(connect: .seconds(10), firstByte: .seconds(20), total: .seconds(20)))
        guard (200...299).contains(reply.status), let text = try? JSONParser.parse(reply.body)["debate_id"]?.string,
            let id = DebateID(text)
        else {
            throw BenchFailure("create: \(reply.status) \(String(decoding: reply.body.prefix(300), as: UTF8.self))")
        }
        return id
    }

    /// Watches a debate from its first event to its last.
    /// - Returns: how many events it had, every one of them verified.
    func watch(_ debate: DebateID) async throws -> Int {
        let result = await withTimeout(Self.patience, on: loop) { try await follow(debate) }
        return try result.get()
    }

    private func follow(_ debate: DebateID) async throws -> Int {
        guard let address = SocketAddress(ip: "127.0.0.1", port: gatewayPort) else { throw BenchFailure("no address") }
        let socket = try await WebSocketClient.connect(
            loop: loop, to: [address], host: "127.0.0.1:\(gatewayPort)",
            target: "/ws?debate_id=\(debate)&replay_from_seq=1&token=\(BenchServices.token)")
        var verifier = ChainVerifier(debateID: debate)
        // A cancelled wait ends because the socket does.
        return try await withTaskCancellationHandler {
            while let message = await socket.receive() {
                guard case .text(let text) = message, text.utf8.starts(with: "{\"v\"".utf8) else { continue }
                try verifier.feed(envelope: Array(text.utf8))
                guard !verifier.hasEnded else {
                    await socket.abort()
                    return Int(verifier.tail.seq)
                }
            }
            throw BenchFailure("\(debate): the stream ended at event \(verifier.tail.seq)")
        } onCancel: {
            loop.execute { Task(executorPreference: loop) { await socket.abort() } }
        }
    }

    func close() async { await http.close() }
}
