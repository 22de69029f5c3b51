/// A model call that is due: what to ask, of whom, and under which key. Made by ``DebateMachine`` only.
package struct PlannedCall: Hashable, Sendable {
    package let key: CallKey
    package let agent: AgentSpec
    package let phase: DebatePhase
    package let round: Int
    package let totalRounds: Int
    /// The way of thinking asked for in the format `full`.
    package let mode: CognitiveMode?
    package let material: Material

    /// What the prompt is made of; all of it is untrusted text.
    package struct Material: Hashable, Sendable {
        package let topic: String
        package let context: String?
        /// What earlier debates concluded on similar questions; nobody is shown it while voting.
        package let knowledge: [RecalledConclusion]
        /// Remarks of people, oldest first.
        package let remarks: [String]
        /// What people require of every position, oldest first.
        package let constraints: [String]
        /// The agent's own last position.
        package let own: String?
        /// What this call is about: the criticised position, the critiques to answer, the candidates to vote on.
        package let others: [Contribution]
        /// For the first position in a debate that branched off another.
        package let earlier: EarlierDebate?
        /// For a judge: the gravest criticism, gravest first.
        package let critiques: [Contribution]

        package init(
            topic: String, context: String?, knowledge: [RecalledConclusion] = [], remarks: [String],
            constraints: [String] = [], own: String?, others: [Contribution], earlier: EarlierDebate? = nil,
            critiques: [Contribution] = []
        ) {
            self.topic = topic
            self.context = context
            self.knowledge = knowledge
            self.remarks = remarks
            self.constraints = constraints
            self.own = own
            self.others = others
            self.earlier = earlier
            self.critiques = critiques
        }
    }

    /// The debate that this one branched off, as it stood there.
    package struct EarlierDebate: Hashable, Sendable {
        /// What was asked in it.
        package let question: String
        /// Its last round that both share.
        package let round: Int
        /// What each of its agents held then, and how it voted.
        package let positions: [Contribution]
        package init(question: String, round: Int, positions: [Contribution]) {
            self.question = question
            self.round = round
            self.positions = positions
        }
    }

    package struct Contribution: Hashable, Sendable {
        package let agent: String
        package let content: String
        package init(agent: String, content: String) {
            self.agent = agent
            self.content = content
        }
    }

    package init(
        key: CallKey, agent: AgentSpec, phase: DebatePhase, round: Int, totalRounds: Int, mode: CognitiveMode? = nil,
        material: Material
    ) {
        self.key = key
        self.agent = agent
        self.phase = phase
        self.round = round
        self.totalRounds = totalRounds
        self.mode = mode
        self.material = material
    }
}
