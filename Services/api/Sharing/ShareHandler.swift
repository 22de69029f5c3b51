import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Links that show one debate, read-only, to whoever has them, for a time.
struct ShareHandler: Sendable {
    static let tokenBytes = 32

    let stores: APIStores
    let trail: AuditTrail
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    func share(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try ShareRequest.parse(request.body)
        let record = try await lookup.changeable(context)
        let token = Hex.encode(try RandomBytes.make(Self.tokenBytes))
        let expires = Timestamp(milliseconds: WallClock.nowMilliseconds() + Int64(wish.seconds) * 1000)
        do {
            guard
                try await stores.shares.add(
                    SHA256.hash(Array(token.utf8)), of: record.id, by: context.caller.subject, expiresAt: expires,
                    trail.entry(
                        .debateShared, request, context, on: "debate", record.id.text,
                        AuditDetails.until(expires)))
            else { throw APIError(.tooManyShares) }
        } catch let error as StorageError { throw APIError.unavailable(error) }
        return json(ShareBody.created(record.id, token: token, expiresAt: expires))
    }

    func revoke(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.changeable(context)
        do {
            let entry = trail.entry(.debateShareRevoked, request, context, on: "debate", record.id.text)
            return json(ShareBody.revoked(record.id, count: try await stores.shares.revoke(record.id, entry)))
        } catch { throw APIError.unavailable(error) }
    }

    /// Unknown, revoked and expired are one answer: a token says nothing to who has no right one.
    func open(_ request: Request, _ context: RequestContext) async throws -> Response {
        let token = context.parameter("token")
        let share: Share?
        do { share = try await stores.shares.open(SHA256.hash(Array(token.utf8))) } catch {
            throw APIError.unavailable(error)
        }
        guard let share, let record = try await lookup.find(share.debate.text, within: .installation) else {
            throw APIError(.shareNotFound)
        }
        let body = DebateBody(record, try await lookup.whatIsLeft(of: record.id))
        return json(ShareBody.shared(body, expiresAt: share.expiresAt, views: share.views))
    }

    /// The log of the debate that a link shows, for whoever watches it. What belongs to the organization rather than to the
    /// debate is withheld as if it had been erased, so that the chain can still be followed.
    func events(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let since = query.int("since", default: 0, in: 0...Int(JSONValue.maximumInteger))
        let limit = query.int("limit", default: 100, in: ReadDebateHandler.eventsRange)
        try query.finish()
        let debate: DebateID?
        do { debate = try await stores.shares.debate(of: SHA256.hash(Array(context.parameter("token").utf8))) } catch {
            throw APIError.unavailable(error)
        }
        guard let debate, let record = try await lookup.find(debate.text, within: .installation) else {
            throw APIError(.shareNotFound)
        }
        let page = try await lookup.events(of: record.id, from: Int64(since) + 1, limit: limit)
        let envelopes = page.map { EventEnvelope.encode($0.shownByLink, debateID: record.id) }
        return .json(
            EventPageBody.encode(
                record.id, envelopes: envelopes, lastSeq: page.last?.seq ?? Int64(since), latestSeq: record.tail.seq,
                status: record.status))
    }

    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
