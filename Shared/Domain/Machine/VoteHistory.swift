/// Who chose what, from the sealed ballots to the last round.
///
/// A vote names an agent, and what an agent holds changes between rounds: the name of somebody who changed sides stands for
/// something else than before. So votes are compared by option, a number that follows what is said from one vote to the next.
struct VoteHistory: Hashable, Sendable {
    /// One vote of the panel: the sealed ballots, or a round's.
    struct Moment: Hashable, Sendable {
        let round: Int
        /// Who holds a position → the option it is.
        fileprivate(set) var options: PanelMap<Int> = [:]
        /// Option → the first of the panel who holds it, whose name stands for it.
        fileprivate(set) var holders: SmallMap<Int, String> = [:]
        /// Voter → chosen option; voters whose vote was not valid are absent.
        fileprivate(set) var choices: PanelMap<Int> = [:]
        /// Voter → the agent that it named.
        fileprivate(set) var names: PanelMap<String> = [:]
        /// Voter → what its critics since the vote before had chosen in that one.
        fileprivate(set) var heard: PanelMap<[Int]> = [:]

        /// The option that leads alone, and the most votes that any has.
        var leader: (option: Int?, votes: Int) {
            let counts = choices.values.reduce(into: SmallMap<Int, Int>()) { $0[$1, default: 0] += 1 }
            let most = counts.values.max() ?? 0
            let leaders = counts.pairs.filter { $1 == most }
            return (leaders.count == 1 ? leaders[0].0 : nil, most)
        }

        fileprivate mutating func note(_ vote: Vote) {
            choices[vote.agent] = vote.choice.flatMap { options[$0] }
            names[vote.agent] = vote.choice
        }
    }

    /// What everyone chose before anyone was criticised.
    private(set) var ballots: Moment?
    /// One entry for each round with votes, in order.
    private(set) var rounds: [Moment] = []
    private var tracker = OptionTracker()
    /// As ``Moment/heard``, of the next vote.
    private var heard: PanelMap<[Int]> = [:]

    /// The ballots, then each round up to this one.
    func votes(through round: Int = .max) -> [AdaptiveRule.Moment] {
        ((ballots.map { [$0] } ?? []) + rounds.filter { $0.round <= round }).map {
            AdaptiveRule.Moment(choices: $0.choices, heard: $0.heard)
        }
    }

    /// A vote begins on these positions.
    ///
    /// - Parameter panel: in order, with what each holds; those who hold nothing are left out.
    mutating func begin(_ phase: DebatePhase, round: Int, positions panel: [(agent: String, text: String)]) {
        guard phase == .ballot || phase == .vote else { return }
        var moment = Moment(round: round)
        moment.heard = heard
        heard = [:]
        for (option, members) in tracker.follow(panel) {
            moment.holders[option] = members[0]
            for member in members { moment.options[member] = option }
        }
        if phase == .ballot { ballots = moment } else { rounds.append(moment) }
    }

    mutating func note(_ critique: Critique) {
        guard let chosen = (rounds.last ?? ballots)?.choices[critique.agent] else { return }
        heard[critique.target, default: []].append(chosen)
    }

    mutating func note(ballot vote: Vote) { ballots?.note(vote) }

    mutating func note(_ vote: Vote) {
        guard let last = rounds.indices.last else { return }
        rounds[last].note(vote)
    }
}
