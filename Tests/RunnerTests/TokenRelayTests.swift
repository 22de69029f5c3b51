import Contracts
import Platform
import Sockets
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

    private func onLoop(_ loop: EventLoop, _ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            loop.execute {
                body()
                continuation.resume()
            }
        }
    }

    @Test("text is gathered into pieces that join to the whole, with UTF-16 offsets; start first, end last")
    func pieces() async throws {
        let loop = try EventLoop(name: "relay")
        defer { loop.stop() }
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, loop: loop)
        await onLoop(loop) { for word in ["Post", "gres ", "😀 "] { relay.add(word) } }
        // The loop's timers are ordered: when this one fires, the relay's has fired.
        try await loop.sleep(for: TokenRelay.interval + .milliseconds(1))
        await onLoop(loop) {
            relay.add("wins")
            relay.end()
            relay.add("too late")
        }
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
    func quick() async throws {
        let loop = try EventLoop(name: "relay")
        defer { loop.stop() }
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, loop: loop)
        await onLoop(loop) {
            relay.add("all of it")
            relay.end()
        }
        try await loop.sleep(for: TokenRelay.interval + .milliseconds(1))
        #expect(publisher.liveText.isEmpty)
    }

    @Test("text that waits is bounded")
    func bounded() async throws {
        let loop = try EventLoop(name: "relay")
        defer { loop.stop() }
        let publisher = RecordingPublisher()
        let relay = TokenRelay(request, publisher: publisher, loop: loop)
        await onLoop(loop) {
            relay.add(String(repeating: "x", count: TokenRelay.maxPendingBytes))
            relay.add("y")
        }
        try await loop.sleep(for: TokenRelay.interval + .milliseconds(1))
        #expect(!publisher.liveText.joined().contains("xy"))
    }
}
