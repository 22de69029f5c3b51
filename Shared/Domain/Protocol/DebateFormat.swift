/// How the work of a debate is divided into rounds.
package enum DebateFormat: String, Sendable, CaseIterable, Hashable {
    /// Every round has all steps: propose, critique, revise, vote.
    case light
    /// One step a round, each with a way of thinking of its own; one vote at the end.
    case full

    /// Rounds of the format `full` in which each way of thinking that asks a model has its own.
    package static let fullRounds = 8
}

/// The named ways of thinking of the format `full`, in order (contract §4).
package enum CognitiveMode: String, Sendable, CaseIterable, Hashable {
    /// What is known: question, context and knowledge are laid out. Asks no model.
    case context
    case initialAnalysis = "initial_analysis"
    case skepticalReview = "skeptical_review"
    case lateralExploration = "lateral_exploration"
    case devilsAdvocacy = "devils_advocacy"
    case integration
    case crossExamination = "cross_examination"
    case finalSynthesis = "final_synthesis"
    case adjudication

    /// The steps it consists of.
    var phases: [DebatePhase] {
        switch self {
        case .context: []
        case .initialAnalysis: [.propose, .ballot]
        case .skepticalReview, .devilsAdvocacy, .crossExamination: [.critique]
        case .lateralExploration, .integration, .finalSynthesis: [.revise]
        case .adjudication: [.vote]
        }
    }
}
