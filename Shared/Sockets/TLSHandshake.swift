import Glibc

/// One TLS handshake on a connected descriptor, on the loop's thread only. The descriptor stays the caller's.
@safe final class TLSHandshake: EventHandler, @unchecked Sendable {  // used on its loop's thread only
    private let loop: EventLoop
    private let fd: Int32
    private let channel: TLSChannel
    private var registration: Registration?
    private var timer: LoopTimer?
    private var continuation: CheckedContinuation<Void, any Error>?
    private var isFinished = false

    private init(loop: EventLoop, fd: Int32, channel: TLSChannel) {
        self.loop = loop
        self.fd = fd
        self.channel = channel
    }

    /// Shakes hands within `timeout`.
    /// - Throws: ``SocketError`` `.tls` when the certificate is refused, `.timedOut`; `CancellationError`.
    static func run(loop: EventLoop, fd: Int32, context: TLSContext, timeout: Duration) async throws -> TLSChannel {
        let handshake = TLSHandshake(loop: loop, fd: fd, channel: try context.makeChannel(fd: fd))
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.execute { handshake.begin(continuation, timeout: timeout) }
            }
        } onCancel: {
            loop.execute { handshake.finish(.failure(CancellationError())) }
        }
        return handshake.channel
    }

    private func begin(_ continuation: CheckedContinuation<Void, any Error>, timeout: Duration) {
        guard !isFinished else { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        timer = loop.schedule(after: timeout) { [self] in
            finish(.failure(SocketError(.timedOut, "TLS handshake: not finished within \(timeout)")))
        }
        proceed()
    }

    func ready(_ events: ReadyEvents) { proceed() }

    private func proceed() {
        switch channel.handshake() {
        case .done: finish(.success(()))
        case .failed(let error): finish(.failure(error))
        case .waits(let interest): wait(for: interest)
        }
    }

    private func wait(for interest: Interest) {
        if let registration { return loop.update(registration, interest) }
        do { registration = try loop.register(fd, interest, handler: self) } catch { finish(.failure(error)) }
    }

    private func finish(_ result: Result<Void, any Error>) {
        guard !isFinished else { return }
        isFinished = true
        if let registration { loop.deregister(registration) }
        if let timer { loop.cancel(timer) }
        continuation?.resume(with: result)
        continuation = nil
    }
}
