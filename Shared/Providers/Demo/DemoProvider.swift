package import Domain
package import Sockets

/// The built-in demonstration agents: need no key, reach no network, and say the same for the same debate and call.
package struct DemoProvider: ModelClient {
    /// Into how many pieces an answer is cut when it takes time.
    static let pieces = 12

    private let loop: EventLoop
    private let latency: Duration

    /// - Parameter latency: time for one answer; with zero no timer is set.
    package init(loop: EventLoop, latency: Duration = .zero) {
        self.loop = loop
        self.latency = latency
    }

    package func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        let text = DemoText.answer(to: request.call, in: request.debate)
        do {
            try await say(text, tokens)
        } catch {
            return .failed(CallFailure(.cancelled, "cancelled"))
        }
        let prompt = request.call.material
        let inputBytes = prompt.topic.utf8.count + prompt.others.reduce(0) { $0 + $1.content.utf8.count } + 400
        return .answered(
            Answer(
                content: text, provider: .demo, model: "demo",
                usage: Usage(inputTokens: inputBytes / 4, outputTokens: text.utf8.count / 4), truncated: false))
    }

    private func say(_ text: String, _ tokens: TokenSink) async throws {
        try Task.checkCancellation()
        guard latency > .zero else { return tokens(text) }
        let size = max(1, (text.count + Self.pieces - 1) / Self.pieces)
        var rest = text[...]
        for _ in 0..<Self.pieces {
            try await loop.sleep(for: latency / Self.pieces)
            let piece = rest.prefix(size)
            if !piece.isEmpty { tokens(String(piece)) }
            rest = rest.dropFirst(size)
        }
    }
}
