package import Domain

/// What a debate will ask of models and what that may cost, before anybody is asked: the debate machine is run to its
/// end, and every call it plans is priced. A pure function.
package struct CostEstimate: Sendable {
    /// One model's share.
    package struct Line: Sendable, Hashable {
        package let provider: ProviderKey
        package let model: String
        package var calls = 0
        package var inputTokens = 0
        package var outputTokens = 0
        package var likely = MicroUSD.zero
        /// What of it is for reading; the rest is for answers.
        package var likelyInput = MicroUSD.zero
        /// Every prompt and answer as long as may be, each call answered at its first attempt.
        package var worst = MicroUSD.zero
        package let isPriceAssumed: Bool
    }

    /// Bytes of an ordinary answer; prompts ask for less than 400 words.
    static let usualAnswerBytes = 2400
    /// Bytes that a quoted answer can have, the reasoning of its author's vote included.
    static let longestQuoteBytes = Answer.maxContentBytes + ReplyParser.maxReasoningBytes + 256
    /// Bytes of prose per token, as models of today cut it.
    static let usualBytesPerToken = 4

    /// In the panel's order.
    package private(set) var lines: [Line] = []
    package var calls: Int { lines.reduce(0) { $0 + $1.calls } }
    package var likely: MicroUSD { lines.reduce(.zero) { $0 + $1.likely } }
    package var worst: MicroUSD { lines.reduce(.zero) { $0 + $1.worst } }

    /// - Parameter maxTokens: the longest answer that is asked of a model.
    package init(_ spec: DebateSpec, maxTokens: Int) {
        for call in Self.calls(of: spec) {
            let prompt = PromptBuilder.prompt(for: call)
            let bytes = prompt.system.utf8.count + prompt.user.utf8.count
            let quotes = (call.material.own == nil ? 0 : 1) + call.material.others.count + call.material.critiques.count
            let input = (bytes + quotes * Self.usualAnswerBytes) / Self.usualBytesPerToken
            let output = min(Self.usualAnswerBytes / Self.usualBytesPerToken, maxTokens)
            let longest = bytes + quotes * Self.longestQuoteBytes + PriceBook.envelopeTokens
            func cost(_ input: Int, _ output: Int) -> MicroUSD {
                PriceBook.cost(
                    provider: call.agent.provider, model: call.agent.model, inputTokens: input, outputTokens: output)
            }
            update(call) { line in
                line.calls += 1
                line.inputTokens += input
                line.outputTokens += output
                line.likely = line.likely + cost(input, output)
                line.likelyInput = line.likelyInput + cost(input, 0)
                line.worst = line.worst + cost(longest, maxTokens)
            }
        }
    }

    /// What the first phase of a debate can cost at most, each call answered at its first attempt: what it reserves.
    /// - Parameter worst: of one call; nil when it is free.
    package static func firstPhase(of spec: DebateSpec, worst: (PlannedCall) -> MicroUSD?) -> MicroUSD {
        guard spec.agents.contains(where: { !PriceBook.isFree($0.provider) }) else { return .zero }
        var machine = DebateMachine()
        let at = Timestamp(milliseconds: 0)
        var due = try? machine.apply(.debateStart(DebateStart(spec: spec, engineVersion: .current)), at: at)
        while case .record(let events)? = due?.first {
            for event in events { due = try? machine.apply(event, at: at) }
        }
        return (due ?? []).reduce(.zero) { sum, action in
            guard case .call(let call) = action else { return sum }
            return sum + (worst(call) ?? .zero)
        }
    }

    private mutating func update(_ call: PlannedCall, _ change: (inout Line) -> Void) {
        let (provider, model) = (call.agent.provider, call.agent.model)
        let known = lines.firstIndex { $0.provider == provider && $0.model == model }
        if known == nil {
            lines.append(
                Line(
                    provider: provider, model: model,
                    isPriceAssumed: !PriceBook.knows(provider: provider, model: model)))
        }
        change(&lines[known ?? lines.count - 1])
    }

    /// Every call of the debate, if nobody wants to stop early. The answers are short: their length is added by
    /// arithmetic, so that an estimate is cheap whatever is asked for.
    private static func calls(of spec: DebateSpec) -> [PlannedCall] {
        var (machine, calls) = (DebateMachine(), [PlannedCall]())
        let at = Timestamp(milliseconds: 0)
        // Without its budget and its adaptive end, which only make it shorter.
        guard let whole = try? spec.unbounded(),
            (try? machine.apply(.debateStart(DebateStart(spec: whole, engineVersion: .current)), at: at)) != nil
        else { return [] }
        while true {
            switch machine.due.first {
            case .record(let events)?:
                for event in events { guard (try? machine.apply(event, at: at)) != nil else { return calls } }
            case .call(let call)?:
                calls.append(call)
                let answer = Answer(
                    content: text(for: call), provider: call.agent.provider,
                    model: call.agent.model, usage: Usage(), truncated: false)
                let event = ReplyParser.event(for: call, answer: answer, attempt: 1)
                guard (try? machine.apply(event, at: at)) != nil else { return calls }
            case .finish?, nil: return calls
            }
        }
    }

    /// An answer in the form that is asked for; other words in every call, so that no two positions agree.
    private static func text(for call: PlannedCall) -> String {
        var random = SeededRandom(call.key.text)
        let words = (0..<8).map { _ in String(random.next(), radix: 36) }.joined(separator: " ")
        switch call.phase {
        case .propose, .revise: return words
        case .critique: return "SEVERITY: 0.5\nISSUES: \(words)"
        case .judge: return "CONFIDENCE: 0.5\nDECISION: \(words)"
        case .ballot, .vote:
            return
                "CHOICE: \(call.material.others.first?.agent ?? "none")\nCONFIDENCE: 0.5\nCONTINUE: yes\nREASONING: \(words)"
        }
    }
}
