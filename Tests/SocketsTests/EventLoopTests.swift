import Platform
import Sockets
import Testing

private actor Pinned {
    let loop: EventLoop
    private(set) var wasOnLoop = false
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    init(loop: EventLoop) { self.loop = loop }
    func visit() -> Bool { loop.inLoop }
}

/// Collects what a transport reports, and lets a test wait for it.
private final class Recorder: TransportDelegate {
    let received = Lock([UInt8]())
    let ended = AsyncStream<String>.makeStream()
    let echo: Transport?
    init(echo: Transport? = nil) { self.echo = echo }
    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        received.withLock { $0.append(contentsOf: bytes) }
        echo?.send(Array(bytes))
    }
    func transportReachedEnd() {
        ended.continuation.yield("end")
        echo?.closeAfterFlush()
    }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) { ended.continuation.yield("closed"); ended.continuation.finish() }
}

@Suite("Event loop")
struct EventLoopTests {
    @Test("an actor pinned to the loop runs on it, from any thread")
    func pinnedActor() async throws {
        let loop = try EventLoop()
        #expect(await Pinned(loop: loop).visit())
        let inTask = await Task(executorPreference: loop) { loop.inLoop }.value
        #expect(inTask)
        loop.stop()
    }

    @Test("timers fire in the order of their deadlines, and a cancelled one never")
    func timers() async throws {
        let loop = try EventLoop()
        let (stream, continuation) = AsyncStream<Int>.makeStream()
        loop.execute {
            loop.schedule(after: .milliseconds(20)) {
                continuation.yield(3)
                loop.schedule(after: .zero) {
                    continuation.yield(4); continuation.finish()
                }
            }
            loop.schedule(after: .milliseconds(1)) { continuation.yield(1) }
            let cancelled = loop.schedule(after: .milliseconds(5)) { continuation.yield(99) }
            loop.schedule(after: .milliseconds(10)) { continuation.yield(2) }
            loop.cancel(cancelled)
        }
        var order: [Int] = []
        for await number in stream { order.append(number) }
        #expect(order == [1, 2, 3, 4])
        loop.stop()
    }

    @Test("a sleep that is cancelled ends at once")
    func cancelledSleep() async throws {
        let loop = try EventLoop()
        let task = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        loop.stop()
    }

    @Test("bytes come back from an echo over real sockets, whole and in order", arguments: [1, 1000, 3_000_000])
    func echo(count: Int) async throws {
        let loop = try EventLoop()
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: 0))
        let servers = Lock([(Transport, Recorder)]())
        let listener = try Listener(loop: loop, address: address) { accepted in
            let transport = Transport(loop: loop, accepted: accepted)
            let recorder = Recorder(echo: transport)
            servers.withLock { $0.append((transport, recorder)) }
            try? transport.start(delegate: recorder)
        }
        listener.start()
        let client = try await Connector.connect(loop: loop, to: [listener.address], timeout: .seconds(5))
        let recorder = Recorder()
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        loop.execute {
            try? client.start(delegate: recorder)
            client.send(payload)
            client.shutdownSendAfterFlush()
        }
        for await event in recorder.ended.stream where event == "end" { break }
        #expect(recorder.received.withLock { $0 } == payload)
        loop.stop()
    }

    @Test("connecting to a closed port fails with the reason")
    func refused() async throws {
        let loop = try EventLoop()
        let listener = try Listener(loop: loop, address: try #require(SocketAddress(ip: "127.0.0.1", port: 0))) { _ in }
        let address = listener.address
        await Task(executorPreference: loop) { listener.close() }.value
        await #expect(throws: SocketError.self) {
            _ = try await Connector.connect(loop: loop, to: [address], timeout: .seconds(5))
        }
        loop.stop()
    }
}
