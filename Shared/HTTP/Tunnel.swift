package import Sockets

/// A connection to another server that a handler passes its client on to: ``Response/tunnel(_:)``.
///
/// The request is sent again as it came, and the other server's answer goes back as it comes. Only once that answer is
/// 101 may the client speak; after any other the connection ends, so that no second request passes unseen.
package struct Tunnel: Sendable {
    let upstream: Transport
    let opening: [UInt8]
    let settings: TunnelSettings

    /// Connects to the other server on the request's own loop.
    ///
    /// - Parameters:
    ///   - target: the path and query to ask for; nil for the request's own.
    ///   - replacing: fields that replace the client's of the same name, such as `X-Forwarded-For`.
    /// - Throws: 502 when no address accepts, 504 when none answers in time, 400 for a request that asks no upgrade.
    package static func connect(
        to addresses: [SocketAddress], for request: Request, _ context: RequestContext, target: String? = nil,
        replacing headers: Headers = [:], settings: TunnelSettings = TunnelSettings()
    ) async throws -> Tunnel {
        guard request.head.asksUpgrade, request.head.framing == .none else {
            throw HTTPError.malformed("Only a request that asks for an upgrade is passed on.")
        }
        let opening = opening(request.head, target: target, headers)
        do {
            let upstream = try await Connector.connect(
                loop: context.loop, to: addresses, timeout: settings.connectTimeout)
            return Tunnel(upstream: upstream, opening: opening, settings: settings)
        } catch let error as SocketError {
            throw error.code == .timedOut ? Self.timedOut : Self.unreachable
        }
    }

    static let unreachable = HTTPError(
        .badGateway, "upstream_unreachable", "The service behind this path is not reachable.")
    static let timedOut = HTTPError(.gatewayTimeout, "upstream_timeout", "The service behind this path did not answer.")

    /// The request head for the other server. `close` asks it to hang up unless it upgrades.
    static func opening(_ head: RequestHead, target: String?, _ headers: Headers) -> [UInt8] {
        // A target of our own making is checked like one from outside: it must not break the request line.
        let path = target.flatMap { $0.utf8.allSatisfy(ByteClass.isTarget) && $0.hasPrefix("/") ? $0 : nil }
        var lines = ["\(head.method) \(path ?? head.text(head.target)) HTTP/1.1", "connection: upgrade, close"]
        let replaced = Set(headers.fields.map { $0.name.text.lowercased() }).union(["connection"])
        for field in head.fields where !replaced.contains(head.text(field.name)) {
            lines.append("\(head.text(field.name)): \(head.text(field.value))")
        }
        for field in headers.fields { lines.append("\(field.name.text): \(field.value.text)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

/// The bounds of a tunnel.
package struct TunnelSettings: Sendable {
    /// For all addresses together.
    package var connectTimeout = Duration.seconds(5)
    /// From the request to the first line of the answer; past it the client gets 504.
    package var answerTimeout = Duration.seconds(10)
    /// Without a byte in either direction; past it both ends are closed.
    package var idleTimeout = Duration.seconds(120)

    package init() {}
}
