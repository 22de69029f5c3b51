package import Sockets

/// How an ``HTTPServer`` listens and what it puts up with.
package struct HTTPServerConfiguration: Sendable {
    /// Port 0 lets the kernel choose.
    package var address: SocketAddress
    package var limits = HTTPLimits()
    /// From the first byte of a head to its last; past it 408.
    package var headDeadline = Duration.seconds(10)
    /// Without any request; past it the connection is closed.
    package var idleTimeout = Duration.seconds(75)
    /// From the end of the head to the end of the body; past it 408.
    package var bodyDeadline = Duration.seconds(60)
    /// From the whole request to the response's head, where the route says nothing else; past it 503.
    package var handlerDeadline = Duration.seconds(30)
    /// A client that takes nothing of a streamed body for this long is cut off.
    package var stallTimeout = Duration.seconds(60)
    /// After the last response the client may go on sending this long, so that it reads ours (RFC 9112 §9.6).
    package var lingerTimeout = Duration.seconds(2)
    /// Over all loops; past it connections wait in the kernel's queue.
    package var maxConnections = 10_000
    /// Bytes of pipelined requests held while one is answered; past it reading pauses.
    package var pipelineBytes = 64 * 1024
    /// Requests one connection may have answered before others have their turn.
    package var requestsPerTurn = 64
    /// How often deadlines are looked at, and so how late they may fire.
    package var tick = Duration.milliseconds(250)
    /// Makes the response for what no middleware caught, malformed requests above all.
    package var renderError: @Sendable (HTTPError) -> Response = { $0.plainResponse }
    /// Is told of each request refused before it reached a handler, on the loop.
    package var onRejected: @Sendable (HTTPError) -> Void = { _ in }
    /// Is told of errors that are not ``HTTPError``, before they become a 500.
    package var onUnexpected: @Sendable (any Error) -> Void = { _ in }

    /// Is told of each connection that opened (1) or went (-1), on the loop.
    package var onConnections: @Sendable (Int) -> Void = { _ in }

    package init(address: SocketAddress) { self.address = address }
}
