import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// What one debate is and says: the debate, its messages, events, consensus, convergence, costs, and exports.
struct ReadDebateHandler: Sendable {
    static let messagesRange = 1...200
    static let formats = ["json", "csv", "html", "txt", "md"]
    static let eventsRange = 1...500

    let stores: APIStores
    let kept: KeptAnswers
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        if let kept = try await keptAnswer(context) { return .json(kept) }
        // Before the log: should that change in between, the answer is kept under a version that nothing has any more.
        let record = try await lookup.debate(context)
        let left = try await lookup.whatIsLeft(of: record.id)
        let bytes = CanonicalJSON.encode(DebateBody(record, left).json)
        if record.status.isTerminal, !left.isExpired { kept.keep(bytes, of: record.id, version: record.version) }
        return .json(bytes)
    }

    /// The answer of before, if it still holds and the caller may have it.
    private func keptAnswer(_ context: RequestContext) async throws -> [UInt8]? {
        guard let id = DebateID(context.parameter("id")), lookup.mayRead(id, context), let answer = kept.find(id) else {
            return nil
        }
        let version: String?
        do {
            version = try await stores.debates.version(of: id, within: context.caller.reach)
        } catch {
            throw APIError.unavailable(error)
        }
        if let version, version != answer.version { kept.forget(id) }
        return version == answer.version ? answer.bytes : nil
    }

    func messages(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: Self.messagesRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        try query.finish()
        let record = try await lookup.debate(context)
        let all = try await lookup.transcript(of: record.id).messages
        let page = all.dropFirst(offset).prefix(limit).map(\.json)
        return json(
            PageBody.make(
                "messages", items: Array(page), total: all.count, limit: limit, offset: offset,
                extra: [("debate_id", .string(record.id.text))]))
    }

    /// The log itself, envelope by envelope, as WebSocket clients get it.
    func events(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let since = query.int("since", default: 0, in: 0...Int(JSONValue.maximumInteger))
        let limit = query.int("limit", default: 100, in: Self.eventsRange)
        try query.finish()
        let record = try await lookup.debate(context)
        let page = try await lookup.events(of: record.id, from: Int64(since) + 1, limit: limit)
        let envelopes = page.map { EventEnvelope.encode($0, debateID: record.id) }
        return .json(
            EventPageBody.encode(
                record.id, envelopes: envelopes, lastSeq: page.last?.seq ?? Int64(since), latestSeq: record.tail.seq,
                status: record.status))
    }

    func consensus(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.debate(context)
        let transcript = try await lookup.transcript(of: record.id)
        return json(
            DebateAnswers.consensus(
                id: record.id, mode: record.summary.consensus, result: transcript.decision, votes: transcript.lastVotes)
        )
    }

    func convergence(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.debate(context)
        let transcript = try await lookup.transcript(of: record.id)
        return json(DebateAnswers.convergence(id: record.id, result: transcript.decision, roundsUsed: transcript.round))
    }

    func costs(_ request: Request, _ context: RequestContext) async throws -> Response {
        let record = try await lookup.debate(context)
        let costs: [AgentCosts]
        do { costs = try await stores.debates.costs(of: record.id) } catch { throw APIError.unavailable(error) }
        return json(
            OperationsBody.costs(
                record.id,
                costs.map {
                    OperationsBody.AgentCost(
                        agent: $0.agent, provider: $0.provider, calls: $0.calls, failures: $0.failures,
                        unknown: $0.unknown,
                        tokensIn: $0.usage.inputTokens, tokensOut: $0.usage.outputTokens,
                        costUSD: Double($0.usage.cost.amount) / 1e6)
                }))
    }

    func export(_ request: Request, _ context: RequestContext) async throws -> Response {
        let format = context.parameter("format")
        guard Self.formats.contains(format) else {
            throw APIError(
                ValidationFailure([FieldProblem("format", "must be \(Self.formats.joined(separator: ", "))")]))
        }
        let table = request.query["table"] ?? CSVExport.Table.summary.rawValue
        guard let table = CSVExport.Table(rawValue: table) else {
            let words = CSVExport.Table.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError(ValidationFailure([FieldProblem("table", "must be one of \(words)")]))
        }
        let record = try await lookup.debate(context)
        let transcript = try await lookup.transcript(of: record.id)
        let body = DebateBody(record, transcript)
        switch format {
        case "csv": return file(CSVExport.text(table, body, transcript.story), "text/csv; charset=utf-8", record, "csv")
        case "html": return page(HTMLExport.text(body, decision: transcript.decision))
        case "txt": return .text(TextExport.text(body, decision: transcript.decision))
        case "md":
            return .bytes(
                Array(MarkdownTranscript.text(of: record.id, events: transcript.sealed).utf8),
                type: "text/markdown; charset=utf-8")
        default: return json(body.json)
        }
    }

    /// A browser is to save it, not to guess what it is.
    private func file(_ text: String, _ type: HeaderValue, _ record: DebateRecord, _ suffix: String) -> Response {
        var response = Response.bytes(Array(text.utf8), type: type)
        response.headers["Content-Disposition"] = HeaderValue("attachment; filename=\"\(record.id.text).\(suffix)\"")
        return response
    }

    /// Whatever stood in it, a browser would run none of it.
    private func page(_ text: String) -> Response {
        var response = Response.bytes(Array(text.utf8), type: "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
        return response
    }

    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}
