import Contracts
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// Viewers who all come at once, as they do when a gateway was restarted, ask the stores no more than one does.
@Suite("Many viewers of the gateway", .timeLimit(.minutes(2)))
struct ManyViewersTests {
    static let debates = (0..<10).map { DebateID(milliseconds: 1_767_322_800_000 + $0, random: Array(1...10)) }

    private static func connect(
        _ gateway: GatewayFixture, _ count: Int, _ debate: DebateID, from seq: Int64
    ) async throws -> [Viewer] {
        try await withThrowingTaskGroup(of: Viewer.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let viewer = try await gateway.viewer("?debate_id=\(debate.text)&replay_from_seq=\(seq)")
                    let seqs = try await viewer.read(to: "replay_end").seqs
                    #expect(seqs.first == seq && seqs == Array(seq...(seq + Int64(seqs.count) - 1)))
                    return viewer
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test(
        "who come back at once cost Postgres one question a debate, and the cache one page",
        arguments: [1, 3] as [Int64])
    func storm(from seq: Int64) async throws {
        try await GatewayFixture.with { gateway in
            for debate in Self.debates {
                gateway.log.put(Chain(debate, count: 20))
                gateway.live.put(Chain(debate, count: 20))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for debate in Self.debates {
                    group.addTask { _ = try await Self.connect(gateway, 30, debate, from: seq) }
                }
                try await group.waitForAll()
            }
            #expect(gateway.log.tails + gateway.log.questions.reduce(0, +) == Self.debates.count)
            #expect(gateway.log.pages.isEmpty)
            #expect(gateway.metrics.value(.gatewayFills, ["redis"]) == Double(Self.debates.count))
        }
    }

    @Test("are asked about together, when a question is on its way already")
    func batches() async throws {
        try await GatewayFixture.with { gateway in
            for debate in Self.debates { gateway.log.put(Chain(debate, count: 3)) }
            let (asked, may) = (Latch(), Latch())
            gateway.log.beforeTail {
                asked.open(); await may.wait()
            }
            var viewers: [Viewer] = []
            for debate in Self.debates {
                let viewer = try await gateway.viewer("?debate_id=\(debate.text)")
                _ = try await viewer.settle()
                viewers.append(viewer)
            }
            await asked.wait()
            may.open()
            for viewer in viewers { #expect(try await viewer.read(to: "replay_end").seqs == [1, 2, 3]) }
            #expect(gateway.log.tails == Hub.Questions.maxRunning)
            #expect(gateway.log.questions == [Self.debates.count - Hub.Questions.maxRunning])
        }
    }

    @Test("who come late get what came live from memory, up to now, and go on")
    func late() async throws {
        try await GatewayFixture.with { gateway in
            let debate = Self.debates[0]
            var chain = Chain(debate, count: 5)
            gateway.log.put(chain)
            let first = try await Self.connect(gateway, 1, debate, from: 1)
            for _ in 0..<5 { await gateway.publish(chain.append(), debate) }
            let pages = gateway.log.pages.count
            // The log itself is not asked again: it does not even have the five new ones.
            let late = try await gateway.viewer("?debate_id=\(debate.text)")
            let messages = try await late.read(to: "replay_end")
            #expect(messages.seqs == Array(1...10))
            #expect(messages.first { $0.type == "subscribed" }?["data"]?["latest_seq"]?.int == 10)
            let resumed = try await gateway.viewer("?debate_id=\(debate.text)&since_seq=10")
            #expect(try await resumed.read(to: "replay_end").seqs.isEmpty)
            await gateway.publish(chain.append(), debate)
            for viewer in first + [late, resumed] { #expect(try await viewer.read(through: 11).seqs.last == 11) }
            #expect(gateway.log.pages.count == pages && gateway.log.tails == 1)
        }
    }

    @Test("of a log that was replaced are told nothing of the old one")
    func replaced() async throws {
        try await GatewayFixture.with { gateway in
            let debate = Self.debates[0]
            gateway.log.put(Chain(debate, count: 6))
            let first = try await Self.connect(gateway, 1, debate, from: 1)[0]
            gateway.log.put(Chain(debate, count: 4, branch: 9))
            await gateway.hub.compareWithPostgres()
            #expect(try await first.read(to: "replay_end").warnings == ["LOG_RESET"])
            let late = try await gateway.viewer("?debate_id=\(debate.text)")
            let events = try await late.read(to: "replay_end").filter { $0.seq != nil }
            #expect(events.seqs == [1, 2, 3, 4] && events.allSatisfy { $0["branch"]?.int == 9 })
        }
    }

    @Test("leave behind no more than a feed, and a loop, may keep, and nothing when they go")
    func bounded() async throws {
        try await GatewayFixture.with { gateway in
            var viewers: [Viewer] = []
            for debate in Self.debates {
                var chain = Chain(debate, count: 1)
                gateway.log.put(chain)
                viewers += try await Self.connect(gateway, 1, debate, from: 1)
                for _ in 0..<20 { await gateway.publish(chain.append(padding: 20_000), debate) }
                _ = await viewers[viewers.count - 1].readSeqs(through: 21)
            }
            let kept = await gateway.hub.recentBytes
            #expect(kept > 0 && kept <= Hub.recentBytesOfFeed * Self.debates.count)
            for viewer in viewers { await viewer.socket.close() }
            await gateway.until { gateway.metrics.value(.gatewayWatched) == 0 }
            #expect(await gateway.hub.recentBytes == 0)
        }
    }

    @Test("what is kept of a debate stays without a gap, whatever is added")
    func recent() {
        let chain = Chain(Self.debates[0], count: 20)
        let all = chain.entries.map(FeedEntry.init)
        let other = Chain(Self.debates[0], count: 20, branch: 7).entries.map(FeedEntry.init)
        var recent = RecentEvents()
        func seqs(from seq: Int64, _ tail: Int) -> [Int64] {
            recent.page(from: seq, limit: 128, reaching: LogTail(seq: Int64(tail), hash: all[tail - 1].hash)).map(\.seq)
        }
        recent.add(Array(all[4..<8]), limitBytes: 1 << 20)
        #expect(seqs(from: 5, 8) == [5, 6, 7, 8])
        #expect(seqs(from: 4, 8).isEmpty && seqs(from: 9, 8).isEmpty && seqs(from: 5, 9).isEmpty)
        recent.add(Array(all[0..<6]), limitBytes: 1 << 20)
        recent.add(Array(all[7..<10]), limitBytes: 1 << 20)
        #expect(seqs(from: 1, 10) == Array(1...10))
        // A gap, and another log: what is newer takes the place of what was there.
        recent.add(Array(all[14..<16]), limitBytes: 1 << 20)
        #expect(seqs(from: 15, 16) == [15, 16] && seqs(from: 1, 16).isEmpty)
        recent.add(Array(other[16..<18]), limitBytes: 1 << 20)
        #expect(seqs(from: 15, 16).isEmpty)
        recent.add(Array(all[0..<2]), limitBytes: 1 << 20)
        #expect(
            recent.page(from: 17, limit: 128, reaching: LogTail(seq: 18, hash: other[17].hash)).map(\.seq) == [17, 18])
        for entry in all {
            recent = RecentEvents()
            recent.add([entry], limitBytes: 1)
            #expect(recent.bytes == 0)
        }
    }
}
