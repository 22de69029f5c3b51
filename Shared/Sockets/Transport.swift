import CLinux
import Glibc
import Platform

/// Is told what happens on a ``Transport``. Every call comes on the loop's thread.
package protocol TransportDelegate: AnyObject, Sendable {
    /// Bytes from the peer; keep none of the slice's storage, it is the loop's shared buffer.
    func transportReceived(_ bytes: ArraySlice<UInt8>)
    /// The peer will send no more (half-close). What we still have to say may be sent.
    func transportReachedEnd()
    /// What was queued has been handed to the kernel, after ``Transport/pendingBytes`` had reached the high-water mark.
    func transportDrained()
    /// The connection is gone; nothing is called after this. `nil` when we closed it ourselves.
    func transportClosed(_ error: SocketError?)
}

/// A non-blocking byte stream on one loop: plain TCP or a Unix-domain socket, with TLS when ``Connector`` was given a configuration.
///
/// Confined to its loop's thread. What is sent in one loop turn leaves in as few system calls as possible, at its end.
@safe package final class Transport: EventHandler, @unchecked Sendable {  // every method checks that it is on the loop
    /// Reads of one connection before others have their turn.
    static let maxReadsPerTurn = 4
    /// Queued bytes from which ``TransportDelegate/transportDrained()`` is owed to the delegate.
    package static let highWaterBytes = 256 * 1024

    package let loop: EventLoop
    package let peer: SocketAddress
    private let fd: Int32
    private var registration: Registration?
    private var interest: Interest = []
    private weak var delegate: (any TransportDelegate)?
    private var queue: [ArraySlice<UInt8>] = []
    private var queueHead = 0
    /// Bytes queued and not yet taken by the kernel.
    package private(set) var pendingBytes = 0
    private var flushIsDue = false
    private var owesDrained = false
    private var isReading = true
    private var endSeen = false
    private var closeWhenFlushed = false
    private var shutdownWhenFlushed = false
    package private(set) var isClosed = false
    /// How bytes reach the wire: as they are, or through TLS.
    private let channel: any ByteChannel

    /// Takes over an accepted connection. On the loop only; nothing is read before ``start(delegate:)``.
    package init(loop: EventLoop, accepted: AcceptedSocket) {
        self.loop = loop
        peer = accepted.peer
        fd = accepted.fd
        channel = PlainChannel(fd: accepted.fd)
    }

    init(loop: EventLoop, fd: Int32, peer: SocketAddress, channel: any ByteChannel) {
        self.loop = loop
        self.fd = fd
        self.peer = peer
        self.channel = channel
    }

    deinit {
        // Reached unclosed only when its loop was stopped or its owner forgot it: the descriptor must not leak.
        if !isClosed { Glibc.close(fd) }
    }

    /// Begins to read and to report to `delegate`, which is held weakly.
    package func start(delegate: any TransportDelegate) throws(SocketError) {
        loop.checkIsolated()
        self.delegate = delegate
        interest = .read
        registration = try loop.register(fd, interest, handler: self)
    }

    /// Hands the reports over to another delegate, for an upgrade.
    package func setDelegate(_ delegate: any TransportDelegate) {
        loop.checkIsolated()
        self.delegate = delegate
    }

    /// Queues bytes. The array is shared, not copied. The caller bounds ``pendingBytes``.
    package func send(_ bytes: [UInt8]) { send(bytes[...]) }

    package func send(_ bytes: ArraySlice<UInt8>) {
        loop.checkIsolated()
        guard !isClosed, !closeWhenFlushed, !bytes.isEmpty else { return }
        queue.append(bytes)
        pendingBytes += bytes.count
        if pendingBytes >= Self.highWaterBytes { owesDrained = true }
        scheduleFlush()
    }

    /// Asks for one ``TransportDelegate/transportDrained()`` when all that is queued has left, however little it is.
    package func notifyWhenDrained() {
        loop.checkIsolated()
        owesDrained = true
        scheduleFlush()
    }

    /// Lets the kernel hold at most about this many bytes that are not on the wire yet, instead of its megabytes: what a
    /// slow peer has not taken shows in ``pendingBytes``, and can still be thought better of.
    package func limitUnsent(to bytes: Int) {
        loop.checkIsolated()
        guard !isClosed else { return }
        Socket.limitUnsent(fd, family: peer.family, to: bytes)
    }

    /// Bytes that the peer has sent and nobody has read: how far this loop is behind.
    package var unreadBytes: Int {
        loop.checkIsolated()
        return isClosed ? 0 : Socket.unreadBytes(fd)
    }

    /// Stops or resumes reading: backpressure towards the peer.
    package func setReading(_ enabled: Bool) {
        loop.checkIsolated()
        guard enabled != isReading else { return }
        isReading = enabled
        updateInterest()
        readBufferedLater()
    }

    /// Closes after what is queued has left; at once when nothing is.
    package func closeAfterFlush() {
        loop.checkIsolated()
        guard !isClosed else { return }
        closeWhenFlushed = true
        scheduleFlush()
    }

    /// Half-closes the sending side after what is queued has left.
    package func shutdownSendAfterFlush() {
        loop.checkIsolated()
        guard !isClosed else { return }
        shutdownWhenFlushed = true
        scheduleFlush()
    }

    /// Closes now; what is queued is dropped. Idempotent.
    package func close(_ error: SocketError? = nil) {
        loop.checkIsolated()
        guard !isClosed else { return }
        isClosed = true
        if let registration { loop.deregister(registration) }
        registration = nil
        channel.close()
        Glibc.close(fd)
        queue = []
        pendingBytes = 0
        delegate?.transportClosed(error)
        delegate = nil
    }

    package func ready(_ events: ReadyEvents) {
        if events.isReadable && (isReading || events.isHungUp) { readAvailable(hungUp: events.isHungUp) }
        if events.isWritable && !isClosed { flush() }
    }

    private func readAvailable(hungUp: Bool) {
        if endSeen {
            // Level-triggered HUP would spin once both directions are gone and nothing is left to send.
            if hungUp { close(SocketError(.closed, "connection reset")) }
            return
        }
        for _ in 0..<Self.maxReadsPerTurn {
            guard !isClosed, isReading || hungUp else { return }
            switch channel.read(into: &loop.scratch) {
            case .bytes(0):
                endSeen = true
                updateInterest()
                delegate?.transportReachedEnd()
                return
            case .bytes(let count):
                delegate?.transportReceived(loop.scratch[0..<count])
                if count < EventLoop.scratchBytes && !channel.hasBufferedInput { return }
            case .wouldBlock: return
            case .failed(let error): return close(error)
            }
        }
        readBufferedLater()
    }

    /// No readiness event will announce what is decrypted already, so the loop is asked for another turn.
    private func readBufferedLater() {
        guard !isClosed, isReading, channel.hasBufferedInput else { return }
        loop.execute { [weak self] in
            guard let self, !isClosed, isReading else { return }
            readAvailable(hungUp: false)
        }
    }

    private func scheduleFlush() {
        guard !flushIsDue else { return }
        flushIsDue = true
        loop.flushAtEndOfTurn(self)
    }

    /// The loop's, at the end of the turn in which something was queued.
    func flushDue() {
        flushIsDue = false
        flush()
    }

    private func flush() {
        guard !isClosed else { return }
        while queueHead < queue.count {
            let chunk = nextChunk()
            switch channel.write(chunk) {
            case .bytes(let count):
                consume(count)
                if count < chunk.count { return updateInterest() }
            case .wouldBlock: return updateInterest()
            case .failed(let error): return close(error)
            }
        }
        queue.removeAll(keepingCapacity: queue.capacity <= 16)
        queueHead = 0
        finishFlush()
    }

    private func finishFlush() {
        updateInterest()
        if closeWhenFlushed { return close() }
        if shutdownWhenFlushed {
            shutdownWhenFlushed = false
            channel.finishSending()
            shutdown(fd, Int32(SHUT_WR))
        }
        if owesDrained {
            owesDrained = false
            delegate?.transportDrained()
        }
    }

    /// One large piece as it is, or several small ones joined: a copy costs less than a system call.
    private func nextChunk() -> ArraySlice<UInt8> {
        let first = queue[queueHead]
        guard queueHead + 1 < queue.count, first.count < 16 * 1024 else { return first }
        var joined: [UInt8] = []
        joined.reserveCapacity(min(pendingBytes, EventLoop.scratchBytes))
        for piece in queue[queueHead...] {
            if !joined.isEmpty && joined.count + piece.count > EventLoop.scratchBytes { break }
            joined.append(contentsOf: piece)
        }
        return joined[...]
    }

    private func consume(_ count: Int) {
        pendingBytes -= count
        var left = count
        while left > 0 {
            let size = queue[queueHead].count
            if left < size {
                queue[queueHead] = queue[queueHead].dropFirst(left)
                return
            }
            left -= size
            queue[queueHead] = []
            queueHead += 1
        }
    }

    private func updateInterest() {
        guard let registration, !isClosed else { return }
        var wanted: Interest = isReading && !endSeen ? .read : []
        if queueHead < queue.count { wanted.insert(.write) }
        guard wanted != interest else { return }
        interest = wanted
        loop.update(registration, wanted)
    }
}
