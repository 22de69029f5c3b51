import Platform
import Sockets

/// One physical connection: commands go out in order, replies come back in order. It never reconnects.
///
/// Confined to its loop's thread; its owner is an actor on the same loop.
@safe final class RedisLink: TransportDelegate, @unchecked Sendable {  // every entry runs on the loop's thread
    /// Commands that wait for a reply.
    static let maxInFlight = 16 * 1024
    /// Bytes of commands not yet taken by the kernel.
    static let maxQueuedBytes = 64 * 1024 * 1024

    typealias Answer = Result<RedisReply, RedisError>

    private struct Pending {
        /// Nil once the caller has gone: the reply is still counted, and dropped.
        var completion: ((Answer) -> Void)?
        /// When the caller is told that it took too long, by CLOCK_MONOTONIC.
        let deadline: Int64
        /// When an unanswered command means that the connection is dead.
        let linkDeadline: Int64
        /// SUBSCRIBE and UNSUBSCRIBE have one reply per channel.
        var repliesLeft: Int
    }

    private let loop: EventLoop
    /// The server at the other end.
    let node: RedisNode
    private let transport: Transport
    private let linkTimeout: Duration
    private var reader: ReplyReader
    private var pending = Queue<Pending>()
    private var timer: (deadline: Int64, timer: LoopTimer)?
    private var isClosed = false
    /// Takes a reply that no command asked for (a published message); true when it was one.
    private let takePush: (@Sendable (RedisReply) -> Bool)?
    /// Called once, when the connection is gone.
    private var onClose: (@Sendable (RedisError) -> Void)?

    /// Starts reading. On the loop.
    init(
        loop: EventLoop, node: RedisNode, transport: Transport, linkTimeout: Duration,
        takePush: (@Sendable (RedisReply) -> Bool)? = nil
    ) throws(RedisError) {
        self.loop = loop
        self.node = node
        self.transport = transport
        self.linkTimeout = linkTimeout
        self.takePush = takePush
        reader = try ReplyReader()
        do { try transport.start(delegate: self) } catch { throw RedisError(.unavailable, error.message) }
    }

    var isOpen: Bool { !isClosed }
    var inFlight: Int { pending.count }
    /// Bytes that Redis has sent and nobody has read.
    var unreadBytes: Int { transport.unreadBytes }

    /// Tells once when the connection is gone; at once when it is already.
    func whenClosed(_ callback: @escaping @Sendable (RedisError) -> Void) {
        guard !isClosed else { return callback(RedisError(.disconnected, "connection closed")) }
        onClose = callback
    }

    /// Queues a command; `completion` is called exactly once, on the loop, in the order of the commands.
    ///
    /// After `timeout` the caller is told, and the connection lives on. It is given up when its oldest command has
    /// waited for `linkTimeout`, or for a longer `timeout` of its own.
    func send(
        _ command: RedisCommand, timeout: Duration, replies: Int = 1, completion: @escaping (Answer) -> Void
    ) {
        guard !isClosed else { return completion(.failure(RedisError(.unavailable, "not connected"))) }
        guard pending.count < Self.maxInFlight, transport.pendingBytes < Self.maxQueuedBytes else {
            return completion(.failure(RedisError(.overloaded, "\(pending.count) commands wait for a reply")))
        }
        let now = MonotonicTime.now()
        let deadline = now + timeout.nanosecondsClamped
        let linkDeadline = now + max(timeout, linkTimeout).nanosecondsClamped
        pending.append(
            Pending(
                completion: completion, deadline: deadline, linkDeadline: linkDeadline, repliesLeft: replies))
        transport.send(command.encoded)
        arm(deadline)
    }

    /// Sends a command and awaits its reply, which may be an error.
    func ask(_ command: RedisCommand, timeout: Duration, replies: Int = 1) async throws(RedisError) -> RedisReply {
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            send(command, timeout: timeout, replies: replies) { continuation.resume(returning: $0) }
        }
        return try answer.get()
    }

    func close(_ error: RedisError) {
        guard !isClosed else { return }
        isClosed = true
        if let timer { loop.cancel(timer.timer) }
        timer = nil
        transport.close()
        while let item = pending.popFirst() { item.completion?(.failure(error)) }
        let callback = onClose
        onClose = nil
        callback?(error)
    }

    // MARK: Replies

    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        do throws(RedisError) {
            try reader.feed(bytes)
            while !isClosed, let reply = try reader.next() { try take(reply) }
        } catch {
            close(error)
        }
    }

    func transportReachedEnd() { close(RedisError(.disconnected, "Redis closed the connection")) }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) {
        close(RedisError(.disconnected, error?.message ?? "connection closed"))
    }

    private func take(_ reply: RedisReply) throws(RedisError) {
        if let takePush, takePush(reply) { return }
        guard var first = pending.first else {
            throw RedisError(.protocolViolation, "a reply that no command asked for")
        }
        // A refused SUBSCRIBE has one error instead of one reply per channel.
        if case .error = reply {
        } else if first.repliesLeft > 1 {
            first.repliesLeft -= 1
            pending.replaceFirst(with: first)
            return
        }
        _ = pending.popFirst()
        first.completion?(.success(reply))
    }

    // MARK: Deadlines

    /// One timer for all: it is set to a lower bound of the deadlines, and looks again when it fires.
    private func arm(_ deadline: Int64) {
        if let timer, timer.deadline <= deadline { return }
        if let timer { loop.cancel(timer.timer) }
        let delay = Duration.nanoseconds(max(0, deadline - MonotonicTime.now()))
        timer = (deadline, loop.schedule(after: delay) { [weak self] in self?.checkDeadlines() })
    }

    private func checkDeadlines() {
        timer = nil
        let now = MonotonicTime.now()
        if let first = pending.first, first.linkDeadline <= now {
            return close(RedisError(.timedOut, "no reply in time; connection given up"))
        }
        var expired: [(Answer) -> Void] = []
        var next = pending.first?.linkDeadline
        pending.updateEach { item in
            guard let completion = item.completion else { return }
            if item.deadline <= now {
                expired.append(completion)
                item.completion = nil
            } else {
                next = min(next ?? item.deadline, item.deadline)
            }
        }
        if let next { arm(next) }
        for completion in expired { completion(.failure(RedisError(.timedOut, "no reply in time"))) }
    }
}
