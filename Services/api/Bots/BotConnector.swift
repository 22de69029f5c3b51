import Contracts
import Crypto
import HTTPClient
import Platform
import Sockets

/// Microsoft's Bot Connector as one loop knows it: whether a token is its, by the keys it publishes.
actor BotConnector {
    enum Failure: Error {
        /// Its keys are not to be had.
        case unreachable(String)
        case token(IDToken.Refusal)
        case claims(ConnectorClaims.Refusal)
    }

    /// What a token says that is the connector's.
    struct Verified {
        let service: String
        /// The channels that its key may speak for; empty for any.
        let channels: [String]
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private let address: String
    private let app: String
    private let tenant: String
    private let client: HTTPClient
    private let now: @Sendable () -> Int64
    private var metadata: (value: ConnectorMetadata, at: Int64)?
    private var keys = PublishedKeyCache()

    /// - Parameters:
    ///   - address: of its OpenID metadata, named by the operator.
    ///   - app: what its tokens must be for.
    ///   - tenant: whose people are heard, in lower case.
    ///   - now: milliseconds since 1970.
    init(
        _ address: String, app: String, tenant: String, loop: EventLoop,
        now: @escaping @Sendable () -> Int64 = { WallClock.nowMilliseconds() }
    ) {
        self.address = address
        self.app = app
        self.tenant = tenant
        self.loop = loop
        self.now = now
        var configuration = HTTPClientConfiguration()
        configuration.addresses = SignOnSettings.addresses(near: address)
        configuration.userAgent = "aragora-teams"
        configuration.maxConnections = 4
        client = HTTPClient(loop: loop, configuration: configuration)
    }

    func verify(_ token: String) async throws(Failure) -> Verified {
        let metadata = try await discovered()
        let known = try await published(metadata)
        do throws(Failure) { return try check(token, known) } catch {
            guard case .token(.unknownKey) = error, keys.mayRefetch(now()) else { throw error }
        }
        return try check(token, try await published(metadata))
    }

    private func check(_ token: String, _ keys: [IDToken.Key]) throws(Failure) -> Verified {
        let opened: (claims: JSONObject, key: IDToken.Key)
        do throws(IDToken.Refusal) {
            opened = try IDToken.open(token, keys: keys, algorithms: [SignatureKey.Algorithm.rs256.rawValue])
        } catch { throw .token(error) }
        do throws(ConnectorClaims.Refusal) {
            let claims = try ConnectorClaims(opened.claims, app: app, tenant: tenant, now: now() / 1000)
            return Verified(service: claims.service, channels: opened.key.endorsements)
        } catch { throw .claims(error) }
    }

    // MARK: What it publishes

    private func discovered() async throws(Failure) -> ConnectorMetadata {
        if let metadata, now() - metadata.at < PublishedKeyCache.freshMilliseconds { return metadata.value }
        do throws(Failure) {
            guard let found = ConnectorMetadata(try await get(address)) else {
                throw .unreachable("its metadata is none")
            }
            let isSafe = found.keySet.hasPrefix("https://") || address.hasPrefix("http://")
            guard isSafe else { throw .unreachable("its keys are at no https address") }
            metadata = (found, now())
            return found
        } catch {
            if let metadata, now() - metadata.at < PublishedKeyCache.staleMilliseconds { return metadata.value }
            throw error
        }
    }

    private func published(_ metadata: ConnectorMetadata) async throws(Failure) -> [IDToken.Key] {
        if let fresh = keys.fresh(now()) { return fresh }
        do throws(Failure) {
            guard let set = PublishedKey.set(try await get(metadata.keySet)) else {
                throw .unreachable("its key set is none")
            }
            let found = set.compactMap { IDToken.Key($0) }
            keys.keep(found, at: now())
            return found
        } catch {
            if let stale = keys.stale(now()) { return stale }
            throw error
        }
    }

    private func get(_ url: String) async throws(Failure) -> [UInt8] {
        let request = HTTPClientRequest(
            url: url, headers: ["Accept": "application/json"], maxResponseBytes: OpenIDProvider.maximumBytes)
        let reply: HTTPClientReply
        do throws(HTTPClientError) {
            reply = try await client.send(request, deadlines: OpenIDProvider.deadlines)
        } catch { throw .unreachable(error.description) }
        guard reply.status == 200 else { throw .unreachable("it answers \(reply.status)") }
        return reply.body
    }
}
