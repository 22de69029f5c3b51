import Compression
import Glibc
import Platform
import Sockets

/// One loop's share of a server: its listener, its connections, and the clock that watches their deadlines.
actor ServerLoop {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let configuration: HTTPServerConfiguration
    nonisolated let handler: any HTTPHandler
    nonisolated let deadlines: Deadlines
    /// What every request reads, kept apart from the closures beside it: copying those would cost reference counts.
    nonisolated let limits: HTTPLimits
    nonisolated let pipelineBytes: Int
    nonisolated let requestsPerTurn: Int

    private let maxConnections: Int
    private var listener: Listener?
    private var connections: [ObjectIdentifier: any ServedConnection] = [:]
    private var dateField = DateField()
    private var ticker: LoopTimer?
    private var deflaters: [Int: MessageDeflater] = [:]
    private var isDraining = false
    private var drained: CheckedContinuation<Void, Never>?

    init(loop: EventLoop, configuration: HTTPServerConfiguration, handler: any HTTPHandler, shares: Int) {
        self.loop = loop
        self.configuration = configuration
        self.handler = handler
        deadlines = Deadlines(configuration)
        limits = configuration.limits
        pipelineBytes = configuration.pipelineBytes
        requestsPerTurn = configuration.requestsPerTurn
        maxConnections = max(1, configuration.maxConnections / shares)
    }

    var connectionCount: Int { connections.count }

    /// Binds; returns the bound address.
    func listen() throws -> SocketAddress {
        let listener = try Listener(loop: loop, address: configuration.address) { [weak self] socket in
            self?.assumeIsolated { $0.accepted(socket) }
        }
        self.listener = listener
        return listener.address
    }

    /// Begins to accept.
    func accept() {
        listener?.resume()
        tick()
    }

    private func accepted(_ socket: AcceptedSocket) {
        let transport = Transport(loop: loop, accepted: socket)
        let connection = HTTPConnection(transport: transport, server: self)
        do {
            try transport.start(delegate: connection)
        } catch {
            return transport.close()
        }
        add(connection)
        if connections.count >= maxConnections { listener?.pause() }
    }

    func add(_ connection: any ServedConnection) {
        connections[ObjectIdentifier(connection)] = connection
        configuration.onConnections(1)
        if isDraining { connection.drain() }
    }

    func remove(_ connection: any ServedConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        configuration.onConnections(-1)
        if isDraining {
            if connections.isEmpty { finishDrain() }
        } else if connections.count < maxConnections {
            listener?.resume()
        }
    }

    /// The `Date` line of this second.
    func date() -> [UInt8] { dateField.bytes(second: Int64(Glibc.time(nil))) }

    /// A frame for one WebSocket of this loop.
    func bytes(of frame: Frame, _ compression: MessageCompression) -> [UInt8] {
        frame.bytes(compression) { deflater(compression.serverWindowBits) }
    }

    /// One for all WebSockets of this loop that agreed on this window; nil when there is no memory for it.
    private func deflater(_ windowBits: Int) -> MessageDeflater? {
        if let known = deflaters[windowBits] { return known }
        let made = try? MessageDeflater(windowBits: windowBits)
        deflaters[windowBits] = made
        return made
    }

    /// One timer for all connections: a deadline is a number that this compares, not a timer of its own.
    private func tick() {
        let now = MonotonicTime.now()
        for connection in connections.values { connection.tick(now) }
        ticker = loop.schedule(after: configuration.tick) { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
    }

    func drain(deadline: Duration) async {
        guard !isDraining else { return }
        isDraining = true
        listener?.close()
        for connection in connections.values { connection.drain() }
        if !connections.isEmpty { await waitUntilEmpty(deadline) }
        if let ticker { loop.cancel(ticker) }
    }

    private func waitUntilEmpty(_ deadline: Duration) async {
        let timer = loop.schedule(after: deadline) { [weak self] in
            self?.assumeIsolated { share in
                for connection in share.connections.values { connection.abort() }
            }
        }
        await withCheckedContinuation { drained = $0 }
        loop.cancel(timer)
    }

    private func finishDrain() {
        drained?.resume()
        drained = nil
    }
}

/// The configuration's waits in nanoseconds, worked out once.
struct Deadlines: Sendable {
    let head, idle, body, handler, stall, linger: Int64

    init(_ configuration: HTTPServerConfiguration) {
        head = Self.nanoseconds(configuration.headDeadline)
        idle = Self.nanoseconds(configuration.idleTimeout)
        body = Self.nanoseconds(configuration.bodyDeadline)
        handler = Self.nanoseconds(configuration.handlerDeadline)
        stall = Self.nanoseconds(configuration.stallTimeout)
        linger = Self.nanoseconds(configuration.lingerTimeout)
    }

    /// At most a hundred years, so that adding it to a time can not overflow.
    static func nanoseconds(_ duration: Duration) -> Int64 {
        min(duration.nanosecondsClamped, 3_200_000_000 * 1_000_000_000)
    }
}

/// What a server keeps for each open socket, whatever it speaks. Called on the loop only.
protocol ServedConnection: AnyObject, Sendable {
    /// Looks at its deadlines; `now` is ``MonotonicTime``.
    func tick(_ now: Int64)
    /// Finishes what it holds, then closes.
    func drain()
    /// Closes now.
    func abort()
}
