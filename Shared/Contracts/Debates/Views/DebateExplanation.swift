import Domain

/// Why a debate ended as it did, in sentences and numbers that all come from its log.
package enum DebateExplanation {
    /// `GET …/summary`.
    package static func summary(_ body: DebateBody, _ story: DebateStory) -> JSONValue {
        let decision = story.decision
        return [
            "debate_id": .string(body.id.text), "status": .string(body.status.clientText),
            "title": .string(body.shownTitle), "task": .string(body.topic), "one_liner": .string(oneLiner(body, story)),
            "key_points": .strings(keyPoints(story)),
            "disagreements": .array((decision?.dissenting ?? []).map(EventCodec.json(of:))),
            "final_answer": .optional(body.finalAnswer ?? decision?.finalAnswer),
            "consensus_reached": .bool(decision?.reached ?? false), "consensus_strength": .string(strength(decision)),
            "confidence": .optional(decision?.confidence), "agreement": .optional(decision?.agreement),
            "rounds_used": .int(Int64(body.roundsUsed)), "duration_seconds": .optional(body.duration),
            "insight": .optional(story.end?.insight?.sentence),
        ]
    }

    /// `GET …/explain` and `…/explainability`.
    package static func explanation(_ body: DebateBody, _ story: DebateStory) -> JSONValue {
        [
            "debate_id": .string(body.id.text), "status": .string(body.status.clientText),
            "narrative": .string(narrative(body, story)), "factors": .array(factors(story)),
            "votes": .array((story.decision.map { lastVotes(story, $0.round) } ?? []).map(DebateAnswers.vote)),
            "provenance": .array(provenance(story)),
            "insight": story.end?.insight.map(InsightCodec.json(of:)) ?? .null,
        ]
    }

    private static func oneLiner(_ body: DebateBody, _ story: DebateStory) -> String {
        guard let decision = story.decision else {
            return body.status.isTerminal
                ? "The debate ended as \(body.status.clientText) without a decision."
                : "The debate is \(body.status.clientText); round \(body.roundsUsed) of \(body.rounds)."
        }
        let share = "\(decision.supporting.count) of \(story.agents.count) agents"
        guard let winner = decision.winner else { return "No position got a valid vote." }
        return decision.reached
            ? "\(share) agreed on the position of \(winner), with confidence \(decision.confidence.value)."
            : "No consensus: \(winner) led with \(share), below what \(decision.mode.rawValue) asks."
    }

    private static func narrative(_ body: DebateBody, _ story: DebateStory) -> String {
        var sentences = [oneLiner(body, story)]
        if let decision = story.decision {
            sentences.append(
                "Agreement was \(decision.agreement.value) against a threshold of \(decision.threshold.value).")
            for dissent in decision.dissenting {
                sentences.append("\(dissent.agent) dissented" + (dissent.choice.map { " for \($0)." } ?? "."))
            }
            if let judge = decision.judgement?.judge { sentences.append("\(judge) judged.") }
        }
        if let early = story.early {
            sentences.append("It ended after round \(early.round) because of \(early.source.rawValue).")
        }
        for failure in story.failures { sentences.append("\(failure.agent) failed and took no further part.") }
        if let insight = story.end?.insight { sentences.append(insight.sentence) }
        return sentences.joined(separator: " ")
    }

    /// The first sentence of each supporter's last position.
    private static func keyPoints(_ story: DebateStory) -> [String] {
        let supporters = story.decision?.supporting ?? story.agents.map(\.name)
        return supporters.compactMap { agent in
            story.positions(of: agent).last.map { firstSentence($0.statement.content) }
        }
    }

    private static let sentenceCharacters = 280

    private static func firstSentence(_ text: String) -> String {
        let line = text.trimmed.prefix { !$0.isNewline }
        let end = line.firstRange(of: ". ")?.lowerBound ?? line.endIndex
        return String(line[..<end].prefix(sentenceCharacters))
    }

    private static func strength(_ decision: ConsensusResult?) -> String {
        guard let decision, decision.reached else { return "none" }
        return switch decision.agreement {
        case Ratio.one...: "unanimous"
        case Ratio(0.8)...: "strong"
        case Ratio(0.6)...: "medium"
        default: "weak"
        }
    }

    private static func factors(_ story: DebateStory) -> [JSONValue] {
        guard let decision = story.decision else { return [] }
        var factors = [
            factor("agreement", decision.agreement, "the leader's share of the votes that count"),
            factor("threshold", decision.threshold, "what the mode asks of it"),
            factor("confidence", decision.confidence, "how sure the supporters were, times the agreement"),
            factor(
                "similarity", decision.convergence.similarity, "how near positions were to those of the round before"),
        ]
        if let severity = story.severity(of: decision.round) {
            factors.append(factor("severity", severity, "how hard the last round's critiques were"))
        }
        if let insight = story.end?.insight {
            factors.append(factor("sealed_share", insight.sealedShare, "the leader's share before any criticism"))
        }
        return factors
    }

    private static func factor(_ name: String, _ value: Ratio, _ about: String) -> JSONValue {
        ["name": .string(name), "value": .ratio(value), "description": .string(about)]
    }

    private static func lastVotes(_ story: DebateStory, _ round: Int) -> [Vote] {
        story.votes.filter { $0.round == round }
    }

    /// The events that the decision rests on: the winner's positions, and the decision itself.
    private static func provenance(_ story: DebateStory) -> [JSONValue] {
        guard let decision = story.decision, let seq = story.decisionSeq else { return [] }
        let own = decision.winner.map(story.positions(of:)) ?? []
        return own.map { step($0.seq, $0.kind, $0.statement.agent, $0.statement.round) }
            + [step(seq, "decision", decision.winner, decision.round)]
    }

    private static func step(_ seq: Int64, _ kind: String, _ agent: String?, _ round: Int) -> JSONValue {
        [
            "seq": .int(seq), "kind": .string(kind), "agent": .optional(agent), "round": .int(Int64(round)),
        ]
    }
}
