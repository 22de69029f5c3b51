import CLinux
import Glibc
import Platform

/// Opens client connections on a loop.
package enum Connector {
    /// Reading the authorities of a TLS configuration blocks.
    private static let files = BlockingExecutor(label: "tls", threads: 1)

    /// Connects to the first address that accepts, within `timeout` for all of them together, TLS handshake included.
    /// - Returns: a transport that reads nothing until `start(delegate:)`.
    /// - Throws: ``SocketError`` of the last address tried, `.timedOut` past the deadline, `.tls` when the server's
    ///   certificate is refused.
    package static func connect(
        loop: EventLoop, to addresses: [SocketAddress], timeout: Duration, tls: TLSConfiguration? = nil
    ) async throws -> Transport {
        let deadline = MonotonicTime.now() + timeout.nanosecondsClamped
        var context: TLSContext?
        if let tls { context = try await files.run { try TLSContext(tls) } }
        var last = SocketError(.address, "no address to connect to")
        for address in addresses {
            let left = Duration.nanoseconds(deadline - MonotonicTime.now())
            guard left > .zero else { throw SocketError(.timedOut, "connect: no answer within \(timeout)") }
            do {
                return try await attempt(loop: loop, address: address, deadline: deadline, tls: context)
            } catch let error as SocketError {
                last = error
            }
        }
        throw last
    }

    private static func attempt(
        loop: EventLoop, address: SocketAddress, deadline: Int64, tls: TLSContext?
    ) async throws -> Transport {
        let fd = try await open(loop: loop, address: address, deadline: deadline)
        guard let tls else { return Transport(loop: loop, fd: fd, peer: address, channel: PlainChannel(fd: fd)) }
        do {
            let left = Duration.nanoseconds(max(0, deadline - MonotonicTime.now()))
            let channel = try await TLSHandshake.run(loop: loop, fd: fd, context: tls, timeout: left)
            return Transport(loop: loop, fd: fd, peer: address, channel: channel)
        } catch {
            close(fd)
            throw error
        }
    }

    private static func open(loop: EventLoop, address: SocketAddress, deadline: Int64) async throws -> Int32 {
        let fd = try Socket.make(for: address)
        let connecting = Connecting(loop: loop, fd: fd, address: address)
        let left = Duration.nanoseconds(max(0, deadline - MonotonicTime.now()))
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.execute { connecting.begin(continuation, timeout: left) }
            }
        } onCancel: {
            loop.execute { connecting.finish(.failure(CancellationError())) }
        }
        return fd
    }
}

/// One connection attempt, on the loop's thread only.
@safe private final class Connecting: EventHandler, @unchecked Sendable {
    private let loop: EventLoop
    private let fd: Int32
    private let address: SocketAddress
    private var registration: Registration?
    private var timer: LoopTimer?
    private var continuation: CheckedContinuation<Void, any Error>?
    private var isFinished = false

    init(loop: EventLoop, fd: Int32, address: SocketAddress) {
        self.loop = loop
        self.fd = fd
        self.address = address
    }

    func begin(_ continuation: CheckedContinuation<Void, any Error>, timeout: Duration) {
        guard !isFinished else { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
        do {
            if try Socket.connect(fd, to: address) { return finish(.success(())) }
            registration = try loop.register(fd, .write, handler: self)
            timer = loop.schedule(after: timeout) { [self] in
                finish(.failure(SocketError(.timedOut, "connect \(address): no answer within \(timeout)")))
            }
        } catch {
            finish(.failure(error))
        }
    }

    func ready(_ events: ReadyEvents) {
        let number = Socket.pendingError(fd)
        finish(number == 0 ? .success(()) : .failure(SocketError.system("connect \(address)", number)))
    }

    func finish(_ result: Result<Void, any Error>) {
        guard !isFinished else { return }
        isFinished = true
        if let registration { loop.deregister(registration) }
        if let timer { loop.cancel(timer) }
        if case .failure = result { close(fd) }
        continuation?.resume(with: result)
        continuation = nil
    }
}
