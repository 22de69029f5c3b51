/// What a round consists of. A pure function of the specification, so that a log says it all.
struct RoundPlan: Hashable, Sendable {
    /// One step: what is asked for, and in which way of thinking.
    struct Step: Hashable, Sendable {
        let phase: DebatePhase
        /// Nil in the format `light`.
        let mode: CognitiveMode?
    }

    let steps: [Step]

    private static let restated = [.propose, .critique, .revise, .vote].map { Step(phase: $0, mode: nil) }
    private static let balloted = [.propose, .ballot, .critique, .revise, .vote].map { Step(phase: $0, mode: nil) }

    /// - Parameter number: from 1 to `spec.rounds`.
    init(round number: Int, of spec: DebateSpec, engine: EngineVersion) {
        guard engine >= .sealedBallots else {
            steps = Self.restated
            return
        }
        switch spec.format {
        case .light:
            // What everyone thinks before anyone was criticised: asked once, shown to nobody in the panel.
            steps = number == 1 ? Self.balloted : Self.restated
        case .full:
            steps = Self.modes(of: number, rounds: spec.rounds).flatMap { mode in
                mode.phases.map { Step(phase: $0, mode: mode) }
            }
        }
    }

    /// The step after `phase`; nil after the last. The first when `phase` is nil.
    func step(after phase: DebatePhase?) -> Step? {
        guard let phase else { return steps.first }
        guard let index = steps.lastIndex(where: { $0.phase == phase }) else { return nil }
        return steps.dropFirst(index + 1).first
    }

    func has(_ phase: DebatePhase) -> Bool { steps.contains { $0.phase == phase } }

    /// The way of thinking in which `phase` is done; nil in the format `light`.
    func mode(of phase: DebatePhase) -> CognitiveMode? { steps.last { $0.phase == phase }?.mode }

    /// The ways of thinking of one round of the format `full`.
    ///
    /// Eight rounds have one each. More repeat cross-examination and synthesis before the vote; fewer leave out the earliest
    /// pairs after the analysis, and an odd number joins the first pair that is left in one round.
    private static func modes(of number: Int, rounds: Int) -> [CognitiveMode] {
        guard rounds > 1 else { return [.initialAnalysis] + closing + [.adjudication] }
        switch number {
        case 1: return [.initialAnalysis]
        case rounds: return (rounds == 2 ? closing : []) + [.adjudication]
        default: return inner(count: rounds - 2)[number - 2]
        }
    }

    private static let closing: [CognitiveMode] = [.crossExamination, .finalSynthesis]

    /// What lies between the analysis and the vote: `count` rounds of a doubt, an answer to it, or both.
    private static func inner(count: Int) -> [[CognitiveMode]] {
        let all: [[CognitiveMode]] = [
            [.skepticalReview, .lateralExploration], [.devilsAdvocacy, .integration], closing,
        ]
        let wanted = (count + 1) / 2
        let pairs = all.suffix(min(wanted, all.count)) + Array(repeating: closing, count: max(0, wanted - all.count))
        guard !count.isMultiple(of: 2), let first = pairs.first else { return pairs.joined().map { [$0] } }
        return [first] + pairs.dropFirst().joined().map { [$0] }
    }
}
