package import Domain

/// What a debate's log tells, sorted by what it is: what summaries, diagnostics and explanations are made of.
package struct DebateStory: Sendable {
    /// An agent's position: its proposal, and every revision of it.
    struct Position: Sendable {
        let seq: Int64
        let kind: String
        let statement: Statement
    }

    private(set) var agents: [AgentSpec] = []
    private(set) var totalRounds = 0
    private(set) var rounds: [Int] = []
    private(set) var positions: [Position] = []
    private(set) var critiques: [Critique] = []
    private(set) var votes: [Vote] = []
    private(set) var sealedVotes: [Vote] = []
    private(set) var failures: [AgentFailure] = []
    private(set) var fallbacks: [AgentFallback] = []
    private(set) var remarks = 0
    private(set) var abandoned = 0
    private(set) var early: EarlyTermination?
    private(set) var decision: ConsensusResult?
    private(set) var decisionSeq: Int64?
    private(set) var receipt: ReceiptSummary?
    private(set) var end: DebateEnd?

    package init() {}

    /// Takes the next event of the log.
    package mutating func add(_ event: DebateEvent, seq: Int64) {
        switch event {
        case .debateStart(let start):
            agents = start.spec.agents
            totalRounds = start.spec.rounds
        case .roundStart(let round, _): rounds.append(round)
        case .agentMessage(let statement): positions.append(Position(seq: seq, kind: "proposal", statement: statement))
        case .revision(let statement, _): positions.append(Position(seq: seq, kind: "revision", statement: statement))
        case .critique(let critique): critiques.append(critique)
        case .vote(let vote): votes.append(vote)
        case .sealedVote(let vote): sealedVotes.append(vote)
        case .agentError(let failure): failures.append(failure)
        case .agentFallback(let fallback): fallbacks.append(fallback)
        case .callAbandoned: abandoned += 1
        case .userMessage: remarks += 1
        case .earlyTerminated(let termination): early = termination
        case .consensus(let result):
            decision = result
            decisionSeq = seq
        case .receiptGenerated(let summary): receipt = summary
        case .debateEnd(let end): self.end = end
        default: break
        }
    }

    func positions(of agent: String) -> [Position] { positions.filter { $0.statement.agent == agent } }

    /// Rounds in which an agent said anything.
    func roundsOf(_ agent: String) -> Int {
        let said = positions.filter { $0.statement.agent == agent }.map(\.statement.round)
        let criticised = critiques.filter { $0.agent == agent }.map(\.round)
        return Set(said + criticised + votes.filter { $0.agent == agent }.map(\.round)).count
    }

    /// The mean severity of a round's critiques; nil without any.
    func severity(of round: Int) -> Ratio? {
        let own = critiques.filter { $0.round == round }
        guard !own.isEmpty else { return nil }
        return Ratio(tenThousandths: own.reduce(0) { $0 + $1.severity.tenThousandths } / Int64(own.count))
    }
}
