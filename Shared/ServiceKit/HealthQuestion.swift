import Platform
import Sockets

/// One `GET /readyz` on a connection of its own: all the HTTP that a health check needs.
final class HealthQuestion: TransportDelegate {
    /// An answer is shorter; what sends more is not one of ours.
    static let maxAnswerBytes = 64 * 1024

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var received: [UInt8] = []
        var waiting: CheckedContinuation<[UInt8], Never>?
    }

    private let state = Lock(State())

    /// Sends the question to the first address that accepts and returns the status and body of the answer.
    static func ask(
        _ addresses: [SocketAddress], on loop: EventLoop, timeout: Duration
    ) async throws -> (status: Int, body: [UInt8]) {
        let transport = try await Connector.connect(loop: loop, to: addresses, timeout: timeout)
        let question = HealthQuestion()
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                question.state.withLock { $0.waiting = continuation }
                loop.execute { question.send(on: transport) }
            }
        } onCancel: {
            loop.execute { transport.close() }
        }
        return try parse(answer)
    }

    private func send(on transport: Transport) {
        do throws(SocketError) { try transport.start(delegate: self) } catch { return finish() }
        transport.send(Array("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        // Closed before we began: the deadline passed.
        if transport.isClosed { finish() }
    }

    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        let isTooMuch = state.withLock { state in
            state.received.append(contentsOf: bytes.prefix(Self.maxAnswerBytes - state.received.count))
            return state.received.count >= Self.maxAnswerBytes
        }
        if isTooMuch { finish() }
    }

    func transportReachedEnd() { finish() }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) { finish() }

    private func finish() {
        let (waiting, received) = state.withLock { state in
            defer { state.waiting = nil }
            return (state.waiting, state.received)
        }
        waiting?.resume(returning: received)
    }

    /// `HTTP/1.1 200 …`, fields, an empty line, the body up to the end of the connection.
    private static func parse(_ answer: [UInt8]) throws(Malformed) -> (status: Int, body: [UInt8]) {
        let head = answer.prefix(12)
        guard head.starts(with: Array("HTTP/1.1 ".utf8)), head.count == 12,
            let status = Int(String(decoding: head.suffix(3), as: UTF8.self))
        else { throw Malformed(description: answer.isEmpty ? "the connection was closed" : "not an HTTP answer") }
        let gap = Array("\r\n\r\n".utf8)
        guard let end = answer.indices.first(where: { answer[$0...].starts(with: gap) }) else {
            throw Malformed(description: "the answer was cut short")
        }
        return (status, Array(answer[(end + gap.count)...]))
    }
}
