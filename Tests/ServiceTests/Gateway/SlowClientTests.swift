import Contracts
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// What a client costs that takes less than it is sent, and how each end is told.
@Suite("A slow client of the gateway", .timeLimit(.minutes(2)))
struct SlowClientTests {
    static let debate = HubTests.debate
    static let limit = 524_288
    static let small = ["ARAGORA_WS_OUTBOX_BYTES": String(limit)]

    /// A viewer that has read the backlog and reads no more, and events until more than half of what may wait does.
    private static func stall(_ gateway: GatewayFixture, _ chain: inout Chain) async throws -> Viewer {
        gateway.log.put(chain)
        let viewer = try await gateway.viewer("?debate_id=\(debate.text)")
        try await viewer.read(to: "replay_end")
        await viewer.socket.setReading(false)
        while await gateway.hub.someClient?.isBehind == false, chain.entries.count < 2000 {
            await publish(gateway, &chain)
        }
        return viewer
    }

    private static func publish(_ gateway: GatewayFixture, _ chain: inout Chain) async {
        let entry = chain.append(padding: 20_000)
        gateway.log.put(chain)
        await gateway.publish(entry, debate)
    }

    @Test("goes without token deltas first, while events still reach it, and gets them again once it reads")
    func sheds() async throws {
        try await GatewayFixture.with(Self.small) { gateway in
            var chain = Chain(Self.debate, count: 1)
            let viewer = try await Self.stall(gateway, &chain)
            for _ in 0..<3 {
                await gateway.publishToken("never shown", after: chain.tail.seq, epoch: 1, Self.debate)
            }
            await Self.publish(gateway, &chain)
            await gateway.hub.report()
            #expect(gateway.metrics.value(.websocketTokensShed) == 3)
            #expect(gateway.metrics.value(.websocketSlow) == 1)
            let queued = gateway.metrics.value(.websocketQueuedBytes)
            #expect(queued >= Double(Self.limit / 2) && queued <= Double(Self.limit))
            await viewer.socket.setReading(true)
            let messages = try await viewer.read(through: chain.tail.seq)
            #expect(messages.seqs == Array(2...chain.tail.seq))
            #expect(!messages.types.contains("token_delta"))
            await gateway.until { await gateway.hub.someClient?.pendingBytes == 0 }
            await gateway.publishToken("shown", after: chain.tail.seq, epoch: 1, Self.debate)
            #expect(try await viewer.next().type == "token_delta")
            await gateway.hub.report()
            #expect(gateway.metrics.value(.websocketTokensShed) == 3)
            #expect(gateway.metrics.value(.websocketSlow) == 0)
            #expect(gateway.metrics.value(.websocketQueuedBytes) == 0)
            #expect(gateway.metrics.value(.websocketSlowClosed) == 0)
        }
    }

    @Test("never makes more wait than the limit, is closed with 4008 and where to resume, and resumes whole")
    func closes() async throws {
        try await GatewayFixture.with(Self.small) { gateway in
            var chain = Chain(Self.debate, count: 1)
            let viewer = try await Self.stall(gateway, &chain)
            var most = 0
            while gateway.metrics.value(.websocketSlowClosed) == 0, chain.entries.count < 2000 {
                await Self.publish(gateway, &chain)
                most = max(most, await gateway.hub.someClient?.pendingBytes ?? 0)
            }
            #expect(most > 0 && most <= Self.limit)
            #expect(gateway.metrics.value(.websocketCloses, ["slow"]) == 1)
            await viewer.socket.setReading(true)
            let seen = await viewer.readSeqs()
            #expect(await viewer.closeCode == 4008)
            let last = try #require(seen.last)
            #expect(await viewer.socket.closeReason == "too slow; last_seq=\(last)")
            let again = try await gateway.viewer("?debate_id=\(Self.debate.text)&since_seq=\(last)")
            #expect(await again.readSeqs(through: chain.tail.seq) == Array((last + 1)...chain.tail.seq))
            await again.socket.close()
            await gateway.until { gateway.metrics.value(.websocketConnections) == 0 }
            await gateway.hub.report()
            #expect(gateway.metrics.value(.websocketQueuedBytes) == 0)
            #expect(gateway.metrics.value(.websocketCloses, ["slow"]) == 1)
            #expect(gateway.metrics.value(.websocketCloses, ["client"]) == 1)
        }
    }

    @Test("holds up its own replay and nobody else's, and the waiting is counted")
    func replay() async throws {
        try await GatewayFixture.with(Self.small) { gateway in
            gateway.log.put(Chain(Self.debate, count: 400, padding: 60_000))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            await viewer.socket.setReading(false)
            await gateway.until { gateway.metrics.value(.gatewayWaiting) == 1 }
            let other = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            #expect(await other.readSeqs(through: 400) == Array(1...400))
            await viewer.socket.setReading(true)
            #expect(await viewer.readSeqs(through: 400) == Array(1...400))
            await gateway.until { gateway.metrics.value(.gatewayWaiting) == 0 }
            #expect(gateway.metrics.value(.websocketSlowClosed) == 0)
        }
    }

    @Test("how far a loop is behind Redis is shown, and taken back")
    func unread() async throws {
        try await GatewayFixture.with { gateway in
            gateway.live.set(unread: 70_000)
            await gateway.hub.report()
            #expect(gateway.metrics.value(.gatewayUnread) == 70_000)
            gateway.live.set(unread: 0)
            await gateway.hub.report()
            #expect(gateway.metrics.value(.gatewayUnread) == 0)
        }
    }

    @Test(
        "each end of a connection is counted once, by its reason",
        arguments: ["client", "lost", "protocol", "shutdown", "expired", "origin", "rate"])
    func reasons(reason: String) async throws {
        try await GatewayFixture.with(reason == "expired" ? ["ARAGORA_API_TOKEN": GatewayFixture.token] : [:]) {
            gateway in
            let token = reason == "expired" ? "?token=\(GatewayFixture.signedToken("admin", secondsFromNow: 1))" : ""
            let headers: Headers = reason == "origin" ? ["Origin": "http://elsewhere.test"] : [:]
            let viewer = try await gateway.viewer(token, headers: headers)
            switch reason {
            case "client": await viewer.socket.close(.goingAway)
            case "lost": await viewer.socket.abort()
            case "protocol": await viewer.socket.sendRaw([0xFF, 0xFF])
            case "rate": for _ in 0..<400 { try? await viewer.say(#"{"type":"ping"}"#) }
            case "shutdown": await gateway.server.drain(deadline: .seconds(5))
            default: break
            }
            _ = try await viewer.readAll()
            await gateway.until { gateway.metrics.value(.websocketConnections) == 0 }
            await gateway.until { gateway.metrics.value(.websocketCloses, [reason]) == 1 }
            let all = [
                "client", "lost", "unresponsive", "protocol", "slow", "shutdown", "expired", "origin", "rate", "error",
            ]
            #expect(all.map { gateway.metrics.value(.websocketCloses, [$0]) }.reduce(0, +) == 1)
        }
    }
}
