import Domain

/// The agents of one debate, answering the machine's calls.
struct SimulatedPanel {
    private static let model = "simulated"
    private static let confidence = Ratio(0.8)

    private let population: Population
    private var agents: [SimulatedAgent]
    /// Their answers, first and after each round.
    private(set) var answers: [[Int]]
    /// What each heard, in each round; nil for whom nobody criticised.
    private(set) var heard: [[Int?]] = []

    /// - Parameters:
    ///   - character: what conformity and competences are drawn from.
    ///   - seed: what the agents think and do in this debate.
    init(of population: Population, character: UInt64, seed: UInt64) {
        var (character, random) = (SeededRandom(seed: character), SeededRandom(seed: seed))
        let conformity = population.conformity[Int(character.next() % UInt64(population.conformity.count))]
        self.population = population
        agents = (0..<population.agents).map { _ in
            SimulatedAgent(
                of: population, conformity: conformity, competence: character.value(in: population.competence),
                seed: random.next())
        }
        answers = [agents.map(\.answer)]
    }

    static func spec(for population: Population, isAdaptive: Bool) throws -> DebateSpec {
        try DebateSpec(
            topic: "Which answer is right?", agents: Array(members.prefix(population.agents)),
            rounds: population.rounds, consensus: .any, isAdaptive: isAdaptive)
    }

    private static let members = (1...Population.agentsRange.upperBound).map {
        AgentSpec(name: "agent-\($0)", provider: .demo, model: model)
    }
    private static let places = Dictionary(uniqueKeysWithValues: members.indices.map { (members[$0].name, $0) })

    /// The outcomes of a phase's calls.
    mutating func answer(_ due: [DebateMachine.Action]) throws -> [DebateEvent] {
        var events: [DebateEvent] = []
        events.reserveCapacity(due.count)
        var revised = false
        var hearing = [Int?](repeating: nil, count: agents.count)
        for case .call(let call) in due {
            guard let place = Self.places[call.agent.name] else {
                throw SimulatedDebate.Unexpected(message: "\(call.agent.name) is not of the panel")
            }
            if call.phase == .revise {
                revised = true
                let heard = call.material.others.first.flatMap {
                    AnswerTexts.answer(in: $0.content, round: call.round, of: population.answers)
                }
                hearing[place] = heard
                agents[place].revise(hearing: heard)
            }
            events.append(try event(for: call, holding: agents[place].answer))
        }
        if revised {
            answers.append(agents.map(\.answer))
            heard.append(hearing)
        }
        return events
    }

    private func event(for call: PlannedCall, holding answer: Int) throws -> DebateEvent {
        let text = AnswerTexts.position(answer, round: call.round)
        let reference = CallReference(key: call.key, attempt: 1)
        switch call.phase {
        case .propose: return .agentMessage(statement(call, text, reference))
        case .revise: return .revision(statement(call, text, reference), original: call.material.own ?? "")
        case .critique:
            // A critic says what it holds itself.
            return .critique(
                Critique(
                    agent: call.agent.name, target: call.material.others.first?.agent ?? "", round: call.round,
                    content: text, severity: Ratio(tenThousandths: 5_000), truncated: false, usage: Usage(),
                    call: reference))
        case .ballot: return .sealedVote(vote(call, text, reference))
        case .vote: return .vote(vote(call, text, reference))
        case .judge: throw SimulatedDebate.Unexpected(message: "nobody here judges")
        }
    }

    private func statement(_ call: PlannedCall, _ text: String, _ reference: CallReference) -> Statement {
        Statement(
            agent: call.agent.name, provider: .demo, model: Self.model, role: call.agent.role, round: call.round,
            content: text, truncated: false, usage: Usage(), call: reference)
    }

    /// Votes for the first of the panel that says what it holds itself, and wants to go on.
    private func vote(_ call: PlannedCall, _ text: String, _ reference: CallReference) -> Vote {
        Vote(
            agent: call.agent.name, round: call.round, choice: call.material.others.first { $0.content == text }?.agent,
            reasoning: "", confidence: Self.confidence, continueDebate: true, usage: Usage(), call: reference)
    }
}
