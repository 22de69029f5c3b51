import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// One debate seen from several sides, each made from its log: rounds, votes, agents, positions, summary, explanation,
/// impasse, diagnostics.
struct DebateViewsHandler: Sendable {
    let stores: APIStores
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    func rounds(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.rounds($0.id, $1) }
    }
    func votes(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.votes($0.id, $1) }
    }
    func agents(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.agents($0.id, $1) }
    }
    func positions(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.positions($0.id, $1) }
    }
    func impasse(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.impasse($0.id, $1) }
    }
    func diagnostics(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateViews.diagnostics($0, $1) }
    }
    func summary(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateExplanation.summary($0, $1) }
    }
    func explanation(_ request: Request, _ context: RequestContext) async throws -> Response {
        try await show(context) { DebateExplanation.explanation($0, $1) }
    }

    private func show(
        _ context: RequestContext, _ view: (DebateBody, DebateStory) -> JSONValue
    ) async throws -> Response {
        let record = try await lookup.debate(context)
        let transcript = try await lookup.transcript(of: record.id)
        return .json(CanonicalJSON.encode(view(DebateBody(record, transcript), transcript.story)))
    }
}

extension Transcript {
    /// The same log, sorted by what it tells.
    var story: DebateStory {
        var story = DebateStory()
        for (sealed, event) in events { story.add(event, seq: sealed.seq) }
        return story
    }
}
