import Compression
import Platform
import Sockets
import Testing

/// A client that sends bytes as they are and holds every byte that comes back against the RFCs.
actor ConformancePeer: TransportDelegate {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let transport: Transport
    private var received: [UInt8] = []
    private var hasEnded = false
    private var waiter: CheckedContinuation<Void, Never>?
    private var compresses = false
    /// Of the message that is being received.
    private var message: (opcode: UInt8, isCompressed: Bool, payload: [UInt8])?
    /// Bytes of payload that came compressed, and what they were worth.
    private(set) var compressedBytes = 0
    private(set) var inflatedBytes = 0

    private init(transport: Transport) {
        self.transport = transport
        loop = transport.loop
    }

    /// Opens a WebSocket; returns the peer and the server's `Sec-WebSocket-Extensions`.
    static func open(_ fixture: ServerFixture, offer: String?) async throws -> (peer: ConformancePeer, answer: String?)
    {
        let transport = try await Connector.connect(loop: fixture.loop, to: [fixture.address], timeout: .seconds(5))
        let peer = ConformancePeer(transport: transport)
        return (peer, try await peer.upgrade(offer))
    }

    private func upgrade(_ offer: String?) async throws -> String? {
        try transport.start(delegate: self)
        var lines = ["GET /ws HTTP/1.1"] + HandshakeTests.fields.map { "\($0.key): \($0.value)" }
        if let offer { lines.append("Sec-WebSocket-Extensions: \(offer)") }
        transport.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let start = received.indices.first(where: { received[$0...].starts(with: end) }) {
                let head = String(decoding: received[..<start], as: UTF8.self)
                received.removeFirst(start + 4)
                try #require(head.hasPrefix("HTTP/1.1 101 "), "\(head)")
                let line = head.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Extensions: ") }
                let answer = line.map { String($0.dropFirst("Sec-WebSocket-Extensions: ".count)) }
                compresses = answer != nil
                return answer
            }
            try #require(!hasEnded, "no answer to the handshake")
            await more()
        }
    }

    /// Sends `bytes`, `size` of them in each turn of the loop.
    func send(_ bytes: [UInt8], by size: Int = .max) async {
        guard size < bytes.count else { return transport.send(bytes) }
        for start in stride(from: 0, to: bytes.count, by: size) {
            transport.send(Array(bytes[start..<min(bytes.count, start + size)]))
            await Task.yield()
        }
    }

    func drop() { transport.close() }

    /// The next thing the server says.
    func next() async -> ServerSaid {
        while true {
            if let said = readFrame() { return said }
            if hasEnded { return received.isEmpty ? .end : .broke("ended within a frame") }
            await more()
        }
    }

    private func more() async { await withCheckedContinuation { waiter = $0 } }

    // MARK: Frames of the server (RFC 6455 §5)

    /// Nil while a frame is not whole, or did not end a message.
    private func readFrame() -> ServerSaid? {
        while let (head, length) = frameHead(), received.count >= head + length {
            let (first, second) = (received[0], received[1])
            let payload = Array(received[head..<(head + length)])
            received.removeFirst(head + length)
            guard second & 0x80 == 0 else { return .broke("it masks") }
            guard length > 65_535 || second & 0x7F != 127, length > 125 || second & 0x7F < 126 else {
                return .broke("a length is not the shortest")
            }
            guard first & 0x30 == 0 else { return .broke("it sets a reserved bit") }
            let isFinal = first & 0x80 != 0
            let said =
                first & 0x08 != 0
                ? control(first, payload) : data(first & 0x0F, isFinal, first & 0x40 != 0, payload)
            if let said { return said }
        }
        return nil
    }

    private func frameHead() -> (head: Int, length: Int)? {
        guard received.count >= 2 else { return nil }
        let short = Int(received[1] & 0x7F)
        let width = short == 127 ? 8 : short == 126 ? 2 : 0
        guard received.count >= 2 + width else { return nil }
        return (2 + width, width == 0 ? short : received[2..<(2 + width)].reduce(0) { $0 << 8 | Int($1) })
    }

    private func control(_ first: UInt8, _ payload: [UInt8]) -> ServerSaid {
        guard first & 0xF0 == 0x80, payload.count <= 125 else {
            return .broke("a control frame is no whole, short one")
        }
        switch first & 0x0F {
        case 8:
            guard payload.count != 1 else { return .broke("half a close code") }
            guard payload.count < 2 || String(validating: payload.dropFirst(2), as: UTF8.self) != nil else {
                return .broke("a reason that is not UTF-8")
            }
            return .close(payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]))
        case 9: return .ping(payload)
        case 10: return .pong(payload)
        default: return .broke("an unknown opcode")
        }
    }

    private func data(_ opcode: UInt8, _ isFinal: Bool, _ isCompressed: Bool, _ payload: [UInt8]) -> ServerSaid? {
        guard opcode <= 2, (opcode == 0) == (message != nil) else { return .broke("a message out of order") }
        guard !isCompressed || (compresses && opcode != 0) else { return .broke("RSV1 without leave") }
        var whole = message ?? (opcode, isCompressed, [])
        whole.payload += payload
        message = isFinal ? nil : whole
        guard isFinal else { return nil }
        if whole.isCompressed {
            compressedBytes += whole.payload.count
            guard let text = Self.inflate(whole.payload) else { return .broke("compressed badly") }
            inflatedBytes += text.count
            whole.payload = text
        }
        guard whole.opcode == 1 else { return .binary(whole.payload) }
        return String(validating: whole.payload, as: UTF8.self) == nil
            ? .broke("text is not UTF-8") : .text(whole.payload)
    }

    private static func inflate(_ bytes: [UInt8]) -> [UInt8]? {
        guard let inflater = try? MessageInflater() else { return nil }
        guard let text = try? inflater.decode(bytes, limit: 1 << 24) else { return nil }
        return (try? inflater.finish(limit: 1 << 24)).map { text + $0 }
    }

    // MARK: The transport

    nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.took(bytes) } }
    nonisolated func transportReachedEnd() { assumeIsolated { $0.ended() } }
    nonisolated func transportDrained() {}
    nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.ended() } }

    private func took(_ bytes: ArraySlice<UInt8>) {
        received.append(contentsOf: bytes)
        wake()
    }

    private func ended() {
        hasEnded = true
        wake()
    }

    private func wake() {
        let due = waiter
        waiter = nil
        due?.resume()
    }
}
