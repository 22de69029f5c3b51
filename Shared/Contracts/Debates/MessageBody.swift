package import Domain

/// One thing that was said in a debate.
package struct MessageBody: Sendable {
    /// From 0, over the whole debate.
    package let index: Int
    package let seq: Int64
    package let round: Int
    package let agent: String?
    package let role: String
    package let phase: String
    /// Nil when it was erased.
    package let content: String?
    package let at: Timestamp

    package init(
        index: Int, seq: Int64, round: Int, agent: String?, role: String, phase: String, content: String?, at: Timestamp
    ) {
        self.index = index
        self.seq = seq
        self.round = round
        self.agent = agent
        self.role = role
        self.phase = phase
        self.content = content
        self.at = at
    }

    package var json: JSONValue {
        [
            "index": .int(Int64(index)), "role": .string(role), "content": .optional(content),
            "agent": .optional(agent),
            "round": .int(Int64(round)), "timestamp": .string(at.iso8601),
            "metadata": ["phase": .string(phase), "seq": .int(seq)],
        ]
    }
}
