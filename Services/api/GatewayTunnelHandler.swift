import Contracts
import HTTP
import Platform
import ServiceKit
import Sockets

/// `/ws` on the API's port: passed on to the gateway, which checks the credential itself.
///
/// The official client always derives its WebSocket address from the API's.
struct GatewayTunnelHandler: Sendable {
    let upstream: Upstream?
    let trustedProxies: TrustedProxies

    func handle(_ request: Request, _ context: RequestContext) async throws -> Response {
        guard let upstream else {
            throw APIError(
                .upstreamUnavailable, "No WebSocket gateway is configured", suggestion: "set ARAGORA_WS_UPSTREAM")
        }
        let addresses: [SocketAddress]
        do { addresses = try await Resolver.resolve(host: upstream.host, port: upstream.port) } catch {
            var refused = APIError(.upstreamUnavailable)
            refused.cause = error
            throw refused
        }
        let client = trustedProxies.client(of: request, peer: context.peer.host)
        let tunnel = try await Tunnel.connect(
            to: addresses, for: request, context,
            replacing: [
                "X-Forwarded-For": HeaderValue(client) ?? "unknown",
                "X-Request-ID": HeaderValue(context.requestID) ?? "none",
            ])
        return .tunnel(tunnel)
    }
}
