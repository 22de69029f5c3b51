import Contracts
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// Who asks for arrays gets everything in arrays, what is ready together in one; nothing else changes.
@Suite("A client that asked for arrays", .timeLimit(.minutes(2)))
struct MessageArrayTests {
    static let debate = HubTests.debate
    static let query = "?debate_id=\(debate.text)&batch=1"

    /// Events that come in one turn of the loop.
    private static func publish(_ gateway: GatewayFixture, _ entries: [PublishedEntry]) async {
        await gateway.hub.receivedTogether(entries, debate)
    }

    @Test("gets one for what is said to it, one for the events that are there, and so on", arguments: [false, true])
    func arrays(compression: Bool) async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3, padding: 200))
            let viewer = try await gateway.viewer(Self.query, compression: compression)
            let arrays = try await viewer.readArrays { $0.type == "replay_end" }
            #expect(arrays.allSatisfy { !$0.isEmpty })
            let events = try #require(arrays.first { !$0.seqs.isEmpty })
            #expect(events.types == ["event", "event", "event"] && events.seqs == [1, 2, 3])
            let types = arrays.flatMap { $0 }.types
            #expect(
                types == [
                    "connected", "connection_info", "subscribed", "replay_start", "event", "event", "event",
                    "replay_end",
                ])
            #expect(await (viewer.socket.extensions != nil) == compression)
            try await viewer.say(#"{"type":"ping"}"#)
            #expect(try await viewer.nextArray().types == ["pong"])
        }
    }

    @Test("gets the events of one turn together, as many as an array takes; others get them singly")
    func turn() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 1)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer(Self.query)
            let plain = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            _ = try await viewer.readArrays { $0.type == "replay_end" }
            try await plain.read(to: "replay_end")
            await Self.publish(gateway, (0..<5).map { _ in chain.append() })
            #expect(try await viewer.nextArray().seqs == [2, 3, 4, 5, 6])
            await Self.publish(gateway, (0..<150).map { _ in chain.append() })
            #expect(try await viewer.readArrays { $0.seq == 156 }.map(\.count) == [64, 64, 22])
            await Self.publish(gateway, (0..<7).map { _ in chain.append(padding: 20_000) } + [chain.append()])
            #expect(try await viewer.readArrays { $0.seq == 164 }.map(\.count) == [3, 3, 2])
            await Self.publish(gateway, [chain.append(), chain.append(padding: 100_000), chain.append()])
            #expect(try await viewer.readArrays { $0.seq == 167 }.map(\.count) == [1, 1, 1])
            #expect(try await plain.read(through: 167).seqs == Array(2...167))
        }
    }

    @Test("shares its arrays with who gets the same events, and the loop keeps few of them, and none for long")
    func shared() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 1)
            gateway.log.put(chain)
            var viewers: [Viewer] = []
            for _ in 0..<4 { viewers.append(try await gateway.viewer(Self.query)) }
            for viewer in viewers { _ = try await viewer.readArrays { $0.type == "replay_end" } }
            await gateway.hub.report()
            #expect(await gateway.hub.arrays.count == 0)
            await Self.publish(gateway, [chain.append(), chain.append()])
            for viewer in viewers { #expect(try await viewer.nextArray().seqs == [2, 3]) }
            #expect(await gateway.hub.arrays.count == 1)
            var arrays = SharedArrays()
            let entries = Chain(Self.debate, count: 40).entries.map { FeedEntry($0).frame }
            for frame in entries { _ = arrays.array(of: [frame]) }
            #expect(arrays.count == SharedArrays.kept)
            let known = arrays.array(of: [entries[39]])
            #expect(String(decoding: known.payload, as: UTF8.self).contains("\"seq\":40"))
            #expect(arrays.count == SharedArrays.kept)
        }
    }

    @Test("and a snapshot gets an array of that one, then arrays of what comes")
    func snapshot() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 3)
            gateway.log.put(chain)
            for _ in 0..<2 {
                let viewer = try await gateway.viewer(Self.query + "&snapshot=1", compression: true)
                let arrays = try await viewer.readArrays { $0.type == "snapshot" }
                #expect(arrays.last?.count == 1 && arrays.last?.first?.told.seqs == [1, 2, 3])
                #expect(arrays.flatMap { $0 }.types == ["connected", "connection_info", "subscribed", "snapshot"])
            }
            let viewer = try await gateway.viewer(Self.query + "&snapshot=1")
            let plain = try await gateway.viewer(SnapshotTests.query)
            _ = try await viewer.readArrays { $0.type == "snapshot" }
            #expect(try await plain.read(to: "snapshot").last?.told.seqs == [1, 2, 3])
            await Self.publish(gateway, [chain.append(), chain.append()])
            #expect(try await viewer.nextArray().seqs == [4, 5])
        }
    }

    @Test("and reads slowly goes without token deltas first, then is closed with where to resume, and resumes whole")
    func slow() async throws {
        try await GatewayFixture.with(SlowClientTests.small) { gateway in
            var chain = Chain(Self.debate, count: 1)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer(Self.query)
            _ = try await viewer.readArrays { $0.type == "replay_end" }
            await viewer.socket.setReading(false)
            func more() async {
                let entries = (0..<3).map { _ in chain.append(padding: 20_000) }
                gateway.log.put(chain)
                await Self.publish(gateway, entries)
            }
            while await !gateway.hub.isSomebodyBehind, chain.entries.count < 2000 { await more() }
            await gateway.publishToken("never shown", after: chain.tail.seq, epoch: 1, Self.debate)
            await gateway.hub.report()
            #expect(gateway.metrics.value(.websocketTokensShed) == 1)
            var most = 0
            while gateway.metrics.value(.websocketSlowClosed) == 0, chain.entries.count < 2000 {
                await more()
                most = max(most, await gateway.hub.mostPending ?? 0)
            }
            #expect(most > 0 && most <= SlowClientTests.limit)
            await viewer.socket.setReading(true)
            var seen: [Int64] = []
            while case .text(let text) = await viewer.socket.receive() {
                let array = try JSONParser.parse(Array(text.utf8), maximumBytes: 1 << 20).array ?? []
                #expect(!array.types.contains("token_delta"))
                seen += array.seqs
            }
            #expect(await viewer.closeCode == 4008)
            let last = try #require(seen.last)
            #expect(seen == Array(2...last))
            #expect(await viewer.socket.closeReason == "too slow; last_seq=\(last)")
            let again = try await gateway.viewer(Self.query + "&since_seq=\(last)")
            let rest = try await again.readArrays { $0.type == "replay_end" }
            #expect(rest.flatMap { $0 }.seqs == Array((last + 1)...chain.tail.seq))
        }
    }

    @Test("and reads slowly takes a long backlog whole")
    func slowReplay() async throws {
        try await GatewayFixture.with(SlowClientTests.small) { gateway in
            gateway.log.put(Chain(Self.debate, count: 120, padding: 70_000))
            let viewer = try await gateway.viewer(Self.query)
            await viewer.socket.setReading(false)
            await gateway.until { gateway.metrics.value(.gatewayWaiting) == 1 }
            await viewer.socket.setReading(true)
            #expect(await viewer.readSeqs(through: 120) == Array(1...120))
            #expect(gateway.metrics.value(.websocketSlowClosed) == 0)
        }
    }

    @Test("hears why it is closed, by whoever stops it")
    func closing() async throws {
        try await GatewayFixture.with { gateway in
            let viewer = try await gateway.viewer("?batch=1")
            _ = try await viewer.readArrays { $0.type == "connection_info" }
            async let drained: Void = gateway.server.drain(deadline: .seconds(5))
            let messages = try await viewer.readAll()
            await drained
            #expect(messages.compactMap(\.array).flatMap { $0 }.warnings == ["SERVER_SHUTDOWN"])
            #expect(await viewer.closeCode == 1001)
        }
        try await GatewayFixture.with(["ARAGORA_API_TOKEN": GatewayFixture.token]) { gateway in
            let token = GatewayFixture.signedToken("admin", secondsFromNow: 1)
            let viewer = try await gateway.viewer("?batch=1&token=\(token)")
            let messages = try await viewer.readAll()
            #expect(
                messages.compactMap(\.array).flatMap { $0 }.types == ["connected", "connection_info", "auth_revoked"])
            #expect(await viewer.closeCode == 4001)
        }
    }
}

extension Hub {
    var isSomebodyBehind: Bool { clients.values.contains(where: \.isBehind) }

    /// Entries that Redis brings in one piece.
    func receivedTogether(_ entries: [PublishedEntry], _ debate: DebateID) {
        for entry in entries { received(entry, debate) }
    }
}
