import Crypto
import Sockets

/// A WebSocket viewer that only counts: reads frame headers, answers pings, and tells when events arrive. Thousands of
/// these must cost less than the server they watch, so nothing is decoded.
final class FrameCounter: TransportDelegate, @unchecked Sendable {  // touched on its transport's loop only
    /// Which messages are events, and which one says that the viewer is live.
    enum Dialect: Sendable {
        /// Envelopes begin with their version; live after `replay_end`.
        case aragora
        /// The same, with permessage-deflate: what is compressed is an event, for nothing else is long enough.
        case compressed
        /// Every message is an event; live at once.
        case plain
    }

    private let transport: Transport
    private let dialect: Dialect
    private let onEvent: @Sendable (_ number: Int) -> Void
    private var ready: CheckedContinuation<Void, any Error>?
    private var isReady = false
    private var failure: (any Error)?
    private var held: [UInt8] = []
    private var isUpgraded = false
    private var events = 0

    private init(_ transport: Transport, _ dialect: Dialect, _ onEvent: @escaping @Sendable (Int) -> Void) {
        self.transport = transport
        self.dialect = dialect
        self.onEvent = onEvent
    }

    /// Connects, upgrades and returns when the viewer is live.
    /// - Parameter onEvent: called on `loop` with the number of the event, from 1.
    static func connect(
        loop: EventLoop, port: UInt16, target: String, dialect: Dialect, onEvent: @escaping @Sendable (Int) -> Void
    ) async throws -> FrameCounter {
        guard let address = SocketAddress(ip: "127.0.0.1", port: port) else { throw BenchFailure("no address") }
        let transport = try await Connector.connect(loop: loop, to: [address], timeout: .seconds(10))
        let counter = FrameCounter(transport, dialect, onEvent)
        let key = Base64.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        let request = """
            GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: Upgrade\r\nUpgrade: websocket\r
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n
            """
            + (dialect == .compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" : "\r\n")
        try await withCheckedThrowingContinuation { continuation in
            loop.execute { counter.begin(Array(request.utf8), continuation) }
        }
        return counter
    }

    /// Called once on the loop, when the connection is lost.
    var onClosed: (@Sendable () -> Void)?

    func close() {
        let transport = transport
        transport.loop.execute { transport.close() }
    }

    private func begin(_ request: [UInt8], _ continuation: CheckedContinuation<Void, any Error>) {
        ready = continuation
        do {
            try transport.start(delegate: self)
            transport.send(request)
        } catch {
            transportClosed(error)
        }
    }

    private func becomeReady() {
        isReady = true
        ready?.resume()
        ready = nil
    }

    // MARK: What the transport reports

    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        guard isUpgraded, held.isEmpty else {
            held += bytes
            let rest = isUpgraded ? 0 : upgrade()
            guard let rest else { return }
            let all = held
            held = []
            return read(all[rest...])
        }
        read(bytes)
    }

    func transportReachedEnd() { transport.close() }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) {
        ready?.resume(
            throwing: BenchFailure(
                "the viewer was closed: \(error.map { "\($0)" } ?? String(decoding: held, as: UTF8.self))"))
        ready = nil
        let told = onClosed
        onClosed = nil
        told?()
    }

    /// Where the frames begin; nil until the head is whole.
    private func upgrade() -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard held.count >= 4, let start = (0...(held.count - 4)).first(where: { held[$0..<$0 + 4].elementsEqual(end) })
        else {
            return nil
        }
        guard held.starts(with: Array("HTTP/1.1 101".utf8)) else {
            transport.close()
            return nil
        }
        isUpgraded = true
        if dialect == .plain { becomeReady() }
        return start + 4
    }

    private func read(_ bytes: ArraySlice<UInt8>) {
        var at = bytes.startIndex
        while let (header, length) = Self.header(bytes[at...]), at + header + length <= bytes.endIndex {
            take(bytes[at], bytes[(at + header)..<(at + header + length)])
            at += header + length
        }
        if at < bytes.endIndex { held = Array(bytes[at...]) }
    }

    /// Bytes of the header and of the payload; servers do not mask.
    private static func header(_ bytes: ArraySlice<UInt8>) -> (Int, Int)? {
        guard bytes.count >= 2 else { return nil }
        let start = bytes.startIndex
        let short = Int(bytes[start + 1] & 0x7F)
        if short < 126 { return (2, short) }
        let size = short == 126 ? 2 : 8
        guard bytes.count >= 2 + size else { return nil }
        return (2 + size, bytes[(start + 2)..<(start + 2 + size)].reduce(0) { $0 << 8 | Int($1) })
    }

    private func take(_ first: UInt8, _ payload: ArraySlice<UInt8>) {
        switch first & 0x0F {
        case 0x1, 0x2: message(payload, isCompressed: first & 0x40 != 0)
        case 0x9: transport.send([0x8A, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload)
        case 0x8: transport.close()
        default: break
        }
    }

    private func message(_ payload: ArraySlice<UInt8>, isCompressed: Bool) {
        // {"v":1,…} is an event, {"type":"replay_end",…} a message of the server's own.
        let isEvent =
            dialect == .plain || isCompressed
            || (payload.count > 2 && payload[payload.startIndex + 2] == UInt8(ascii: "v"))
        guard isEvent else {
            if !isReady, payload.dropFirst(9).starts(with: Array("replay_end".utf8)) { becomeReady() }
            return
        }
        events += 1
        onEvent(events)
    }
}
