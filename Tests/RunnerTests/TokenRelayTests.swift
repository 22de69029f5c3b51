import Contracts
import Platform
import Testing

@testable import DebateRunner
@testable import Domain

@Suite("TokenRelay")
struct TokenRelayTests {
    private let request = CallRequest(
        debate: DebateID(milliseconds: 1, random: Array(1...10)),
        call: PlannedCall(
            key: CallKey("r1/propose/demo-1"), agent: AgentSpec(name: "demo-1", provider: .demo, model: "demo"),
            phase: .propose,
            round: 1, totalRounds: 3, material: .init(topic: "t", context: nil, remarks: [], own: nil, others: [])),
        attempt: 2, epoch: 7)

    /// What the relay asked to be called back for; the test says when the interval has passed.
    private final class Clock: Sendable {
        private let waiting = Lock<[@Sendable () -> Void]>([])

        var schedule: TokenRelay.Schedule { { _, callback in self.waiting.withLock { $0.append(callback) } } }

        func passInterval() {
            let due = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for callback in due { callback() }
        }
    }

    @Test("text is gathered into pieces that join to the whole, with UTF-16 offsets; start first, end last")
    func pieces() throws {
        let clock = Clock()
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, schedule: clock.schedule)
        for word in ["Post", "gres ", "😀 "] { relay.add(word) }
        clock.passInterval()
        relay.add("wins")
        relay.end()
        relay.add("too late")
        let messages = try publisher.liveText.map { try JSONParser.parse(Array($0.utf8)) }
        #expect(messages.map { $0["type"]?.string } == ["token_start", "token_delta", "token_delta", "token_end"])
        #expect(messages[1...2].compactMap { $0["data"]?["delta"]?.string }.joined() == "Postgres 😀 wins")
        #expect(messages[1...3].map { $0["data"]?["offset"]?.int } == [0, 12, 16])
        #expect(
            messages.allSatisfy {
                $0["data"]?["epoch"]?.int == 7 && $0["data"]?["attempt"]?.int == 2 && $0["seq"] == nil
            })
        #expect(messages.allSatisfy { $0["data"]?["call_id"]?.string == "r1/propose/demo-1" })
    }

    @Test("a call that ends before its first piece sends nothing")
    func quick() {
        let clock = Clock()
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, schedule: clock.schedule)
        relay.add("all of it")
        relay.end()
        clock.passInterval()
        #expect(publisher.liveText.isEmpty)
    }

    @Test("text that waits is bounded")
    func bounded() {
        let clock = Clock()
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, schedule: clock.schedule)
        relay.add(String(repeating: "x", count: TokenRelay.maxPendingBytes))
        relay.add("y")
        clock.passInterval()
        #expect(publisher.liveText.joined().contains("xx"))
        #expect(!publisher.liveText.joined().contains("xy"))
    }
}
