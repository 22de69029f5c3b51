import HTTP
import Sockets
import Testing

/// A client that sends what it is told, byte for byte, and shows what comes back.
actor RawClient: TransportDelegate {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let transport: Transport
    private var received: [UInt8] = []
    private(set) var hasEnded = false
    private var waiter: (enough: ([UInt8]) -> Bool, continuation: CheckedContinuation<Void, Never>)?

    private init(transport: Transport) {
        self.transport = transport
        loop = transport.loop
    }

    static func connect(_ loop: EventLoop, to address: SocketAddress) async throws -> RawClient {
        let transport = try await Connector.connect(loop: loop, to: [address], timeout: .seconds(5))
        let client = RawClient(transport: transport)
        try await client.start()
        return client
    }

    private func start() throws { try transport.start(delegate: self) }

    func send(_ text: String) { transport.send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) { transport.send(bytes) }
    func halfClose() { transport.shutdownSendAfterFlush() }
    func close() { transport.close() }
    func setReading(_ enabled: Bool) { transport.setReading(enabled) }

    /// What has come once `enough` holds, or the server has hung up; takes it away.
    func read(until enough: @escaping @Sendable ([UInt8]) -> Bool) async -> String {
        if !enough(received), !hasEnded {
            await withCheckedContinuation { waiter = (enough, $0) }
        }
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// What comes until it ends with `text`.
    func read(to text: String) async -> String {
        let end = Array(text.utf8)
        return await read { $0.suffix(end.count) == end[...] }
    }

    func read(bytes count: Int) async -> String { await read { $0.count >= count } }

    /// Everything until the server hangs up.
    func readAll() async -> String { await read { _ in false } }

    /// Sends, reads to the end, hangs up.
    static func exchange(_ loop: EventLoop, _ address: SocketAddress, _ text: String) async throws -> String {
        let client = try await connect(loop, to: address)
        await client.send(text)
        let answer = await client.readAll()
        await client.close()
        return answer
    }

    nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.took(bytes) } }
    nonisolated func transportReachedEnd() { assumeIsolated { $0.ended() } }
    nonisolated func transportDrained() {}
    nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.ended() } }

    private func took(_ bytes: ArraySlice<UInt8>) {
        received.append(contentsOf: bytes)
        if let waiter, waiter.enough(received) { wake() }
    }

    private func ended() {
        hasEnded = true
        wake()
    }

    private func wake() {
        let due = waiter
        waiter = nil
        due?.continuation.resume()
    }
}
