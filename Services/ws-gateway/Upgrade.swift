import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Sockets

/// `/ws`: checks credential and origin, and what the URL names, before the 101.
struct Upgrade: Sendable {
    static let subprotocol = "aragora-v1"
    static let tokenPrefix = "access_token."
    static let linkPrefix = "share_token."

    let settings: GatewaySettings
    let authenticator: Authenticator
    let places: AddressPlaces
    let hub: Hub
    let version: String
    let log: Log

    func handle(_ request: Request, _ context: RequestContext) async throws -> Response {
        let handshake = try Handshake(request.head)
        let address = settings.trustedProxies.client(of: request, peer: context.peer.host)
        if let wait = places.admit(address) { throw Self.tooMany(retryAfter: wait) }
        let now = WallClock.nowMilliseconds()
        let link = try await link(handshake)
        let principal: Principal
        do {
            // Who shows a link is confined to it, whatever else comes along.
            principal =
                if let link { link.principal } else {
                    try await authenticator.principal(credential(request, handshake), now: now / 1000)
                }
        } catch {
            throw APIError(authenticating: error)
        }
        let named = try subscription(request.query)
        let wishes = try ClientWishes(request.query)
        let originAllowed = isOriginAllowed(request)
        var socket = WebSocketSettings()
        socket.messageBytes = ClientMessage.maximumBytes
        socket.outboxBytes = settings.outboxBytes
        socket.compresses = settings.compresses
        let log = log.with(
            .requestID(context.requestID), .peer(address))
        guard places.enter(address) else { throw Self.tooMany(retryAfter: .seconds(1)) }
        return .webSocket(
            WebSocketUpgrade(handshake, subprotocol: Self.subprotocol, settings: socket) { session in
                let client = ClientSession(
                    session: session, hub: hub, principal: principal, link: link, wishes: wishes, id: context.requestID,
                    outboxBytes: settings.outboxBytes, log: log, onClosed: { places.leave(address) })
                guard originAllowed else {
                    client.refuseOrigin()
                    return client
                }
                client.begin(named, version: version, authenticated: settings.access.isOn && link == nil)
                return client
            })
    }

    private static func tooMany(retryAfter: Duration) -> APIError {
        var error = APIError(.rateLimited, "Too many connections from this address")
        error.retryAfterSeconds = max(1, Int(retryAfter.secondsValue.rounded(.up)))
        return error
    }

    /// Header, query item or subprotocol: browsers can set only the last two.
    private func credential(_ request: Request, _ handshake: Handshake) -> String? {
        if let header = request[header: "authorization"], header.lowercased().hasPrefix("bearer ") {
            return String(header.dropFirst(7))
        }
        if let key = request[header: "x-api-key"] { return key }
        if let token = request.query["token"] { return token }
        return handshake.offeredProtocols.first { $0.hasPrefix(Self.tokenPrefix) }.map {
            String($0.dropFirst(Self.tokenPrefix.count))
        }
    }

    /// The link whose token was offered; nil when none was.
    /// - Throws: `share_not_found` for one that never was, was revoked or has expired: they are one answer.
    private func link(_ handshake: Handshake) async throws -> SharedLink? {
        guard let offered = handshake.offeredProtocols.first(where: { $0.hasPrefix(Self.linkPrefix) }) else {
            return nil
        }
        let digest = SHA256.hash(Array(offered.dropFirst(Self.linkPrefix.count).utf8))
        let found: SharedLink?
        do { found = try await hub.links.link(of: digest) } catch { throw APIError.unavailable(error) }
        guard let found else { throw APIError(.shareNotFound) }
        return found
    }

    private func subscription(_ query: QueryItems) throws -> ClientMessage.Subscription? {
        guard let text = query["debate_id"] ?? query["loop_id"] else { return nil }
        guard let debate = DebateID(text) else { throw HTTPError.malformed("debate_id is not the id of a debate.") }
        var from: Int64?
        if let text = query["replay_from_seq"] {
            guard let seq = Int64(text), seq >= 0 else {
                throw HTTPError.malformed("replay_from_seq is not a whole number.")
            }
            from = max(1, seq)
        } else if let text = query["since_seq"] {
            guard let seq = Int64(text), seq >= 0, seq < .max else {
                throw HTTPError.malformed("since_seq is not a whole number.")
            }
            from = seq + 1
        }
        return ClientMessage.Subscription(debateID: debate, replayFromSeq: from)
    }

    /// A page of another site must not use a visitor's reach to this gateway: without a setting only our own origin may.
    private func isOriginAllowed(_ request: Request) -> Bool {
        guard let origin = request[header: "origin"] else { return true }
        if settings.allowedOrigins.contains("*") || settings.allowedOrigins.contains(origin) { return true }
        guard let host = request[header: "host"], let scheme = origin.firstRange(of: "://") else { return false }
        return origin[scheme.upperBound...].lowercased() == host.lowercased()
    }
}
