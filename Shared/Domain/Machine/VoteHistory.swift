/// Who chose what, from the sealed ballots to the last round.
struct VoteHistory: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let round: Int
        /// Voter → chosen agent; voters whose vote was not valid are absent.
        var choices: [String: String] = [:]
    }

    /// What everyone chose before anyone was criticised.
    private(set) var ballots: [String: String] = [:]
    /// One entry for each round with votes, in order.
    private(set) var rounds: [Entry] = []

    mutating func note(ballot vote: Vote) { ballots[vote.agent] = vote.choice }

    mutating func note(_ vote: Vote) {
        if rounds.last?.round != vote.round { rounds.append(Entry(round: vote.round)) }
        rounds[rounds.count - 1].choices[vote.agent] = vote.choice
    }
}
