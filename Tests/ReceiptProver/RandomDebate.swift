package import Contracts
package import Crypto
package import Domain
import Ledger

/// A finished debate made of a seed: the real machine with answers of random words, sealed, with its receipt.
package struct RandomDebate: Sendable {
    package let id: DebateID
    package let events: [SealedEvent]
    package let receipt: ReceiptDocument

    private struct Stuck: Error {}

    /// - Throws: when the machine stops without an end.
    package init(seed: UInt64, keys: KeyRing?, agents: Int = 2, previous: String? = nil) throws {
        var random = SeededRandom(seed: seed)
        let began = 1_790_000_000_000 + Int64(seed % 1_000_000) * 1000
        let id = DebateID(milliseconds: began, random: Self.bytes(10, &random))
        let spec = try DebateSpec(
            topic: Self.text(&random, words: 8),
            agents: (1...agents).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") },
            rounds: 1 + Int(random.next() % 2))
        var machine = DebateMachine()
        var (chain, transcript, events) = (EventChain(debateID: id), Transcript(), [SealedEvent]())
        func time() -> Timestamp { Timestamp(milliseconds: began + Int64(events.count) * 137) }
        func append(_ event: DebateEvent) throws {
            try machine.apply(event, at: time())
            let sealed = chain.seal(event, at: time(), epoch: 1, salt: Self.bytes(16, &random))
            transcript.add(sealed)
            events.append(sealed)
        }
        try append(.debateStart(DebateStart(spec: spec, engineVersion: .current)))
        while true {
            switch machine.due.first {
            case .record(let due): for event in due { try append(event) }
            case .call(let call):
                try append(ReplyParser.event(for: call, answer: Self.answer(to: call, &random), attempt: 1))
            case .finish(let outcome):
                let stored = ReceiptIssuer.issue(
                    id: ReceiptID(milliseconds: began, random: Self.bytes(10, &random)), debateID: id,
                    outcome: outcome, head: chain.tail, transcript: transcript, at: time(), previous: previous,
                    salt: Self.bytes(16, &random), keys: keys)
                self.id = id
                self.events = events
                receipt = try ReceiptDocument.parse(stored.document)
                return
            case nil: throw Stuck()
            }
        }
    }

    private static func answer(to call: PlannedCall, _ random: inout SeededRandom) -> Answer {
        let text =
            switch call.phase {
            case .propose, .revise: text(&random, words: 12)
            case .critique: text(&random, words: 6) + "\nSEVERITY: 0.\(random.next() % 10)"
            case .judge: "DECISION: \(text(&random, words: 4))\nCONFIDENCE: 0.\(random.next() % 10)\nDISSENT: none"
            case .ballot, .vote:
                "CHOICE: demo-\(1 + random.next() % 2)\nCONFIDENCE: 0.\(random.next() % 100)\nCONTINUE: no\nREASONING: "
                    + text(&random, words: 5)
            }
        return Answer(
            content: text, provider: call.agent.provider, model: call.agent.model,
            usage: Usage(
                inputTokens: Int(random.next() % 900), outputTokens: Int(random.next() % 900),
                cost: MicroUSD(Int64(random.next() % 90_000))), truncated: false)
    }

    static func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private static let words = [
        "Postgres", "MongoDB", "wenn", "naïve", "e\u{301}", "é", "何", "😀", "\"quoted\"", "back\\slash", "tab\there",
        "line\nbreak", "</script>", "\u{7f}", "\u{2028}", "10", "0.5", "ﬀ", "Ω", "Ω", "boring", "and", "fine",
    ]

    private static func text(_ random: inout SeededRandom, words count: Int) -> String {
        (0..<(1 + Int(random.next() % UInt64(count)))).map { _ in words[Int(random.next() % UInt64(words.count))] }
            .joined(separator: " ") + " ok"
    }
}
