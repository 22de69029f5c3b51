import Contracts
import Domain
import TestSupport
import Testing

@Suite("API bodies")
struct BodyTests {
    private func running() -> DebateBody {
        DebateBody(
            id: SampleDebate.id, slug: "postgres-or-mongodb", topic: "Postgres or MongoDB?", status: .queued,
            agents: ["demo-1", "demo-2"], rounds: 2, consensus: .majority, createdAt: SampleDebate.startedAt)
    }

    private func finished() -> DebateBody {
        var body = running()
        body.status = .completed
        (body.roundsUsed, body.completedAt, body.duration) = (1, SampleDebate.time(ofEvent: 9), Ratio(9.0))
        (body.finalAnswer, body.consensusReached, body.winner) = ("Postgres.", true, "demo-1")
        (body.confidence, body.agreement) = (Ratio(0.8), .one)
        body.failures = [
            AgentFailure(
                agent: "demo-2", provider: .demo, phase: .vote, round: 1, kind: .idleTimeout,
                message: "It stopped answering.",
                call: CallReference(key: CallKey("r1/vote/demo-2"), attempt: 1))
        ]
        body.metadata = Array(#"{"k":1}"#.utf8)
        body.messages = [
            MessageBody(
                index: 0, seq: 4, round: 1, agent: "demo-1", role: "proposer", phase: "propose", content: "Postgres.",
                at: SampleDebate.startedAt)
        ]
        return body
    }

    @Test("every body has the golden bytes")
    func golden() throws {
        let spec = try SampleDebate.spec()
        let failure = ValidationFailure([
            FieldProblem("rounds", "must be from 1 to 12"), FieldProblem("agents[0]", "is wrong"),
        ])
        let bodies: [JSONValue] = [
            running().json, finished().json,
            PageBody.make("debates", items: [running().row, finished().row], total: 5, limit: 2, offset: 0),
            DebateAnswers.created(id: SampleDebate.id, spec: spec, createdAt: SampleDebate.startedAt, spectate: true),
            DebateAnswers.consensus(
                id: SampleDebate.id, mode: .majority, result: SampleDebate.consensus,
                votes: [SampleDebate.vote, SampleDebate.abstention]),
            DebateAnswers.consensus(id: SampleDebate.id, mode: .unanimous, result: nil, votes: []),
            DebateAnswers.convergence(id: SampleDebate.id, result: SampleDebate.consensus, roundsUsed: 1),
            DebateAnswers.convergence(id: SampleDebate.id, result: nil, roundsUsed: 0),
            DebateAnswers.action(id: SampleDebate.id, status: .cancelled, message: "The debate was cancelled."),
            ErrorBody(failure, traceID: String(repeating: "0", count: 32)).json,
            ErrorBody(.authenticationRequired, traceID: "t", suggestion: "Send Authorization: Bearer <token>").json,
        ]
        try Golden.check("api_bodies.jsonl", is: bodies.map(\.bytes))
    }

    @Test("a debate has the same members running and finished")
    func sameShape() throws {
        var finished = finished()
        finished.messages = nil
        let (one, two) = (try #require(running().json.object), try #require(finished.json.object))
        #expect(one.members.map(\.key) == two.members.map(\.key))
        #expect(Set(one.members.map(\.key)).count == one.members.count)
    }

    @Test(
        "a page says whether there is more",
        arguments: [(0, 5, true), (3, 5, false), (4, 5, false), (0, 2, false), (0, 3, true)])
    func pages(offset: Int, total: Int, more: Bool) {
        #expect(PageBody.make("x", items: [1, 2], total: total, limit: 2, offset: offset)["has_more"] == .bool(more))
    }

    @Test(
        "filters accept what clients call a status",
        arguments: [
            ("active", [DebateStatus.queued, .running, .paused]), ("PENDING", [.queued]), ("in_progress", [.running]),
            ("archived", [.completed]),
        ])
    func filters(word: String, statuses: [DebateStatus]) {
        #expect(DebateStatus.matching(word) == statuses)
        #expect(DebateStatus.matching("nonsense") == nil)
    }

    @Test("every status that we show can be filtered by", arguments: DebateStatus.allCases)
    func shownStatuses(status: DebateStatus) {
        #expect(DebateStatus.matching(status.clientText) == [status])
        #expect(DebateStatus.matching(status.rawValue) == [status])
    }

    @Test("every error code has a 4xx or 5xx status, never 422, and a sentence", arguments: ErrorCode.allCases)
    func errorCodes(code: ErrorCode) {
        #expect((400...599).contains(code.status))
        #expect(code.status != 422)
        // Two are said as clients know them, word for word (contract §2.2).
        #expect(code.sentence.hasSuffix(".") || [.invalidCredentials, .emailTaken].contains(code))
    }

    @Test("a specification reads back from its row")
    func spec() throws {
        let spec = try SampleDebate.spec()
        #expect(try SpecCodec.decode(SpecCodec.encode(spec)) == spec)
        for text in ["", "[]", "{}", #"{"task":1}"#] {
            #expect(throws: ContractError.self) { try SpecCodec.decode(Array(text.utf8)) }
        }
    }
}
