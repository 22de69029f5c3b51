import CLinux
import Glibc

/// A listening socket on one loop; each accepted connection is handed to a callback on that loop.
@safe package final class Listener: EventHandler, @unchecked Sendable {  // mutable state is touched on the loop only
    /// Connections accepted before other descriptors have their turn.
    static let maxAcceptsPerTurn = 64
    /// After EMFILE or ENFILE: accepting again at once would spin.
    static let pauseWhenOutOfDescriptors = Duration.milliseconds(100)

    package let loop: EventLoop
    /// The bound address; its port is the kernel's choice when 0 was asked for.
    package let address: SocketAddress
    private let fd: Int32
    private let onAccept: @Sendable (AcceptedSocket) -> Void
    private var registration: Registration?
    private var isClosed = false
    private var isPaused = false

    /// Binds and listens; accepting begins with ``start()``. With `reusePort`, several loops may bind the same port and
    /// the kernel spreads connections over them.
    package init(
        loop: EventLoop, address: SocketAddress, reusePort: Bool = true, backlog: Int32 = 1024,
        onAccept: @escaping @Sendable (AcceptedSocket) -> Void
    ) throws(SocketError) {
        self.loop = loop
        self.onAccept = onAccept
        fd = try Socket.make(for: address)
        Socket.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
        if reusePort { Socket.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1) }
        let descriptor = fd
        guard unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0
        else {
            let error = SocketError.system("listen on \(address)")
            Glibc.close(fd)
            throw error
        }
        self.address = Socket.address(of: fd, peer: false)
    }

    /// Begins to accept; from any thread.
    package func start() { loop.execute { [self] in resume() } }

    /// Stops accepting without closing: connections wait in the kernel's queue. On the loop only.
    package func pause() {
        loop.checkIsolated()
        isPaused = true
        if let registration { loop.deregister(registration) }
        registration = nil
    }

    /// Accepts again after ``pause()``. On the loop only.
    package func resume() {
        loop.checkIsolated()
        guard !isClosed, registration == nil else { return }
        isPaused = false
        registration = try? loop.register(fd, .read, handler: self)  // fails only when the kernel is out of memory
    }

    /// Closes the socket; waiting connections are refused. On the loop only, idempotent.
    package func close() {
        loop.checkIsolated()
        guard !isClosed else { return }
        pause()
        isClosed = true
        Glibc.close(fd)
    }

    package func ready(_ events: ReadyEvents) {
        for _ in 0..<Self.maxAcceptsPerTurn {
            guard registration != nil else { return }
            let client = accept(fd, nil, nil)
            guard client >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                if errno == EMFILE || errno == ENFILE { pauseForDescriptors() }
                return
            }
            guard clinux_set_nonblocking(client) == 0 else {
                Glibc.close(client)
                continue
            }
            Socket.configure(client, family: address.family)
            onAccept(AcceptedSocket(fd: client, peer: Socket.address(of: client, peer: true)))
        }
    }

    private func pauseForDescriptors() {
        pause()
        loop.schedule(after: Self.pauseWhenOutOfDescriptors) { [self] in resume() }
    }
}

/// A connection that was accepted; make a ``Transport`` of it at once, which then owns the descriptor.
package struct AcceptedSocket: Sendable {
    let fd: Int32
    package let peer: SocketAddress
}
