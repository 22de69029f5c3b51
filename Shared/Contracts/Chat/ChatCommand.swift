/// What somebody asks for in Slack or Teams: the first word, and the rest. A text without one of the words is a question.
package enum ChatCommand: Sendable, Equatable {
    case ask(String)
    /// A debate about the steps to a goal.
    case plan(String)
    /// A debate about how to build something; nothing is carried out.
    case implement(String)
    /// Of one debate, or of the installation.
    case status(String?)
    /// A remark into a running debate, for one of its positions.
    case vote(debate: String, choice: String)
    case leaderboard
    case help

    /// The words, as help lists them.
    package static let usage: [(words: String, about: String)] = [
        ("ask QUESTION", "a debate about it"), ("plan GOAL", "a debate about the steps to it"),
        ("implement WHAT", "a debate about how to build it; nothing is carried out"),
        ("status [DEBATE]", "how a debate, or the installation, is doing"),
        ("vote DEBATE CHOICE", "what you favour, for the panel of a running debate to weigh"),
        ("leaderboard", "who decides best"),
    ]

    package init(_ text: String) {
        let words = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let rest = words.count > 1 ? String(words[1]).trimmed : ""
        switch words.first?.lowercased() {
        case nil, "help", "?": self = .help
        case "ask", "debate": self = rest.isEmpty ? .help : .ask(rest)
        case "plan": self = rest.isEmpty ? .help : .plan(rest)
        case "implement": self = rest.isEmpty ? .help : .implement(rest)
        case "status": self = .status(rest.isEmpty ? nil : rest)
        case "leaderboard": self = .leaderboard
        case "vote":
            let parts = rest.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            self = parts.count == 2 ? .vote(debate: String(parts[0]), choice: String(parts[1]).trimmed) : .help
        default: self = .ask(text.trimmed)
        }
    }

    /// What the panel is told beside the question; nil when the question says it all.
    package var context: String? {
        switch self {
        case .plan:
            "Answer with a plan: numbered steps, each with what it needs, who does it, and how one sees that it is done."
        case .implement:
            "Answer with a way to build it: numbered steps, what each changes, its risks, and how each is tested."
        default: nil
        }
    }

    package var question: String? {
        switch self {
        case .ask(let text), .plan(let text), .implement(let text): text
        default: nil
        }
    }
}
