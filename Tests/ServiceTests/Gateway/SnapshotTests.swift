import Contracts
import Crypto
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// Who comes late may have what was there in one message, and the rest as it comes: the same events, without a gap.
@Suite("A snapshot of a debate", .timeLimit(.minutes(2)))
struct SnapshotTests {
    static let debate = HubTests.debate
    static let query = "?debate_id=\(debate.text)&snapshot=1"

    /// The events of a viewer up to this one, out of snapshots and one by one, and its snapshots.
    private static func read(
        _ viewer: Viewer, through last: Int64
    ) async throws -> (events: [JSONValue], snapshots: [JSONValue]) {
        var events: [JSONValue] = []
        var snapshots: [JSONValue] = []
        while events.last?.seq ?? 0 < last {
            let message = try await viewer.next()
            if message.type == "snapshot" { snapshots.append(message) }
            events += message.seq == nil ? message.told : [message]
        }
        return (events, snapshots)
    }

    /// Snapshots up to the complete one, without their events: reading those takes long where nothing is optimized.
    private static func heads(_ viewer: Viewer) async throws -> [JSONValue] {
        var heads: [JSONValue] = []
        while heads.last?.isComplete != true, case .text(let text) = await viewer.socket.receive() {
            guard let events = text.prefix(700).firstRange(of: #""events":["#) else { continue }
            heads.append(try JSONParser.parse(Array((text[..<events.upperBound] + "]}}").utf8)))
        }
        return heads
    }

    @Test("is one message with where it stands, then events come singly", arguments: ["url", "message", "socket"])
    func first(way: String) async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 3)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer(way == "url" ? Self.query : way == "socket" ? "?snapshot=true" : "")
            if way == "message" { try await viewer.subscribe(Self.debate, #","snapshot":true"#) }
            if way == "socket" { try await viewer.subscribe(Self.debate) }
            let messages = try await viewer.read(to: "snapshot")
            #expect(messages.types == ["connected", "connection_info", "subscribed", "snapshot"])
            let snapshot = try #require(messages.last)
            #expect(snapshot.told.seqs == [1, 2, 3] && snapshot.isComplete == true)
            #expect(snapshot["debate_id"]?.string == Self.debate.text && snapshot.seq == nil)
            #expect(snapshot["data"]?["from_seq"]?.int == 1 && snapshot["data"]?["to_seq"]?.int == 3)
            #expect(snapshot["data"]?["prev_hash"]?.string == Hex.encode(chain.entries[0].prevHash))
            #expect(snapshot["data"]?["hash"]?.string == Hex.encode(chain.tail.hash))
            await gateway.publish(chain.append(), Self.debate)
            #expect(try await viewer.settle().seqs == [4])
        }
    }

    @Test("has the very events that another viewer gets one by one, whose stream nothing changes")
    func same() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate)
            for type in ["debate_start", "round_start", "vote"] { chain.appendSealed(type, secret: "é\"\\") }
            gateway.log.put(chain)
            let plain = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let viewer = try await gateway.viewer(Self.query)
            let shown = try await plain.read(to: "replay_end")
            #expect(!shown.types.contains("snapshot"))
            let live = chain.appendSealed("consensus")
            await gateway.publish(live, Self.debate)
            let (events, snapshots) = try await Self.read(viewer, through: 4)
            #expect(snapshots.count == 1 && events.count == 4)
            #expect(try await events == shown.filter { $0.seq != nil } + plain.read(through: 4))
        }
    }

    @Test(
        "and what comes after it have no gap and no duplicate between them, while events arrive",
        arguments: [1, 127, 128, 129, 300] as [Int64])
    func seam(count: Int64) async throws {
        try await GatewayFixture.with { gateway in
            gateway.growWhileRead(Chain(Self.debate, count: count), Self.debate)
            var viewers: [Viewer] = []
            for _ in 0..<5 { viewers.append(try await gateway.viewer(Self.query)) }
            for viewer in viewers {
                var seen = try await Self.read(viewer, through: count + 2).events.seqs
                seen += try await viewer.settle().seqs
                #expect(seen == Array(1...Int64(seen.count)))
            }
        }
    }

    @Test("of a log that is still empty is an empty one")
    func empty() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer(Self.query)
            let snapshot = try #require(try await viewer.read(to: "snapshot").last)
            #expect(snapshot.isComplete == true && snapshot["data"]?["to_seq"]?.int == 0)
            #expect(snapshot["data"]?["hash"]?.string == Hex.encode(chain.tail.hash))
            await gateway.publish(chain.append(), Self.debate)
            #expect(try await viewer.next().seq == 1)
        }
    }

    @Test("has what a client lacks that comes back, with it or without")
    func resumes() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 5)
            gateway.log.put(chain)
            let first = try await gateway.viewer(Self.query)
            #expect(try await Self.read(first, through: 5).events.seqs == Array(1...5))
            await first.socket.close()
            for _ in 0..<3 { chain.append() }
            gateway.log.put(chain)
            await gateway.until { gateway.metrics.value(.gatewayWatched) == 0 }
            let hash = Hex.encode(chain.entries[4].hash)
            let plain = try await gateway.viewer("?debate_id=\(Self.debate.text)&since_seq=5")
            #expect(try await plain.read(to: "replay_end").seqs == [6, 7, 8])
            let again = try await gateway.viewer(Self.query + "&since_seq=5")
            let known = try await gateway.viewer()
            try await known.subscribe(Self.debate, #","replay_from_seq":6,"after_hash":"\#(hash)","snapshot":true"#)
            for viewer in [again, known] {
                let (events, snapshots) = try await Self.read(viewer, through: 8)
                #expect(events.seqs == [6, 7, 8] && snapshots.count == 1)
                #expect(snapshots[0]["data"]?["prev_hash"]?.string == hash)
            }
            let complete = try await gateway.viewer(Self.query + "&since_seq=8")
            let nothing = try #require(try await complete.read(to: "snapshot").last)
            #expect(nothing.told.isEmpty && nothing.isComplete == true)
            #expect(nothing["data"]?["from_seq"]?.int == 9 && nothing["data"]?["to_seq"]?.int == 8)
            #expect(nothing["data"]?["hash"]?.string == Hex.encode(chain.tail.hash))
        }
    }

    @Test("begins at 1, after LOG_RESET, for who has read another log, when it comes or later")
    func otherPast() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            let viewer = try await gateway.viewer()
            let wrong = String(repeating: "00", count: 32)
            try await viewer.subscribe(Self.debate, #","replay_from_seq":3,"after_hash":"\#(wrong)","snapshot":true"#)
            var messages = try await viewer.read(to: "snapshot")
            #expect(messages.warnings == ["LOG_RESET"] && messages.last?.told.seqs == [1, 2, 3])
            let restored = Chain(Self.debate, count: 4, branch: 9)
            gateway.log.put(restored)
            await gateway.publish(restored.entries[3], Self.debate)
            messages = try await viewer.read(to: "snapshot")
            #expect(messages.warnings == ["LOG_RESET"] && messages.last?.told.seqs == [1, 2, 3, 4])
            #expect(messages.last?.told.allSatisfy { $0["branch"]?.int == 9 } == true)
            let late = try await gateway.viewer(Self.query)
            #expect(try await late.read(to: "snapshot").last?.told == messages.last?.told)
        }
    }

    @Test("is asked for again by who says so, and not repeated for who subscribes twice")
    func twice() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 2))
            let viewer = try await gateway.viewer(Self.query)
            try await viewer.read(to: "snapshot")
            try await viewer.subscribe(Self.debate)
            #expect(try await viewer.read(to: "subscribed").types == ["subscribed"])
            try await viewer.subscribe(Self.debate, #","snapshot":true"#)
            #expect(try await viewer.read(to: "snapshot").types == ["subscribed", "snapshot"])
            try await viewer.subscribe(Self.debate, #","snapshot":false,"replay_from_seq":2"#)
            #expect(try await viewer.read(to: "replay_end").seqs == [2])
        }
    }

    @Test("of a long log is in several messages, none too long, for a slow client too, who holds up nobody")
    func long() async throws {
        try await GatewayFixture.with(SlowClientTests.small) { gateway in
            var chain = Chain(Self.debate, count: 200, padding: 30_000)
            gateway.log.put(chain)
            let slow = try await gateway.viewer(Self.query)
            await slow.socket.setReading(false)
            await gateway.until { gateway.metrics.value(.gatewayWaiting) == 1 }
            let other = try await gateway.viewer(Self.query)
            let parts = try await Self.heads(other)
            #expect(parts.compactMap { $0["data"]?["from_seq"]?.int } == (0..<25).map { 8 * $0 + 1 })
            #expect(parts.compactMap { $0["data"]?["to_seq"]?.int } == (1...25).map { 8 * $0 })
            #expect(parts.dropLast().allSatisfy { $0.isComplete == false } && parts.last?.isComplete == true)
            for (part, next) in zip(parts, parts.dropFirst()) {
                #expect(part["data"]?["hash"] == next["data"]?["prev_hash"])
            }
            for _ in 0..<3 { await gateway.publish(chain.append(), Self.debate) }
            gateway.log.put(chain)
            let most = try #require(await gateway.hub.mostPending)
            #expect(most <= SlowClientTests.limit)
            await slow.socket.setReading(true)
            let seen = try await Self.heads(slow)
            #expect(seen.compactMap { $0["data"]?["from_seq"]?.int } == (0..<seen.count).map { 8 * Int64($0) + 1 })
            let last = try #require(seen.last?["data"]?["to_seq"]?.int)
            if last < 203 { #expect(await slow.readSeqs(through: 203) == Array((last + 1)...203)) }
            #expect(gateway.metrics.value(.websocketSlowClosed) == 0)
        }
    }

    @Test("is made once for all who come, anew when the log goes on, and costs Postgres one question")
    func shared() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 40, padding: 1000)
            gateway.log.put(chain)
            gateway.live.put(chain)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let viewer = try await gateway.viewer(Self.query, compression: number % 2 == 0)
                        #expect(try await Self.read(viewer, through: 40).events.seqs == Array(1...40))
                    }
                }
                try await group.waitForAll()
            }
            #expect(gateway.log.tails == 1 && gateway.log.questions.isEmpty && gateway.log.pages.isEmpty)
            #expect(gateway.metrics.value(.gatewayFills, ["redis"]) == 1)
            let stays = try await gateway.viewer(Self.query)
            try await stays.read(to: "snapshot")
            for _ in 0..<3 {
                await gateway.publish(chain.append(), Self.debate)
                let late = try await gateway.viewer(Self.query)
                let last = chain.tail.seq
                let (events, snapshots) = try await Self.read(late, through: last)
                #expect(events.seqs == Array(1...last) && snapshots.count == 1)
            }
            #expect(gateway.log.pages.isEmpty && gateway.log.tails <= 2)
            #expect(await gateway.hub.keptSnapshots.count == 1)
        }
    }

    @Test("is kept only while somebody watches, and no more of them than a loop may keep")
    func bounded() async throws {
        try await GatewayFixture.with { gateway in
            var viewers: [Viewer] = []
            for debate in ManyViewersTests.debates {
                gateway.log.put(Chain(debate, count: 40, padding: 30_000))
                let viewer = try await gateway.viewer("?debate_id=\(debate.text)&snapshot=1")
                #expect(try await Self.heads(viewer).last?["data"]?["to_seq"]?.int == 40)
                viewers.append(viewer)
                #expect(await gateway.hub.snapshotBytes <= Hub.snapshotBytesOfLoop)
            }
            let kept = await gateway.hub.keptSnapshots.reduce(0, +)
            #expect(await gateway.hub.snapshotBytes == kept && kept > 0)
            for viewer in viewers { await viewer.socket.close() }
            await gateway.until { gateway.metrics.value(.gatewayWatched) == 0 }
            #expect(await gateway.hub.snapshotBytes == 0)
        }
    }

    @Test("that does not lead to where the log stands is never told")
    func proof() throws {
        let chain = Chain(Self.debate, count: 4)
        let other = Chain(Self.debate, count: 4, branch: 5)
        func draft(from seq: Int64, to tail: LogTail) -> SnapshotDraft {
            SnapshotDraft(Self.debate, .init(fromSeq: seq, isLink: false, isArray: false), tail)
        }
        var mixed = draft(from: 1, to: chain.tail)
        #expect(try mixed.add([FeedEntry(other.entries[0])]))
        #expect(throws: LogGap.self) { try mixed.add([FeedEntry(chain.entries[1])]) }
        var holey = draft(from: 1, to: chain.tail)
        #expect(throws: LogGap.self) { try holey.add([FeedEntry(chain.entries[1])]) }
        var foreign = draft(from: 1, to: other.tail)
        #expect(try foreign.add(chain.entries.map(FeedEntry.init)))
        #expect(throws: LogGap.self) { try foreign.finish() }
    }

    @Test("by a shared link has what a link shows, whoever had one before, and nothing that nobody can name")
    func link() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate)
            chain.appendSealed("debate_start")
            chain.appendSealed("budget_alert", secret: "ours")
            gateway.log.put(chain)
            let token = String(repeating: "5c", count: 32)
            gateway.links.make(token, of: Self.debate)
            let own = try await gateway.viewer(Self.query)
            let all = try await own.read(to: "snapshot").last?.told ?? []
            let viewer = try await gateway.viewer(
                "?snapshot=1", protocols: ["aragora-v1", "share_token.\(token)"])
            try await viewer.subscribe(Self.debate)
            let shown = try await viewer.read(to: "snapshot").last?.told ?? []
            #expect(all.last?["data"]?["secret"]?.string == "ours")
            #expect(shown.seqs == [1, 2] && shown.last?["data"]?["erased"]?.bool == true)
            #expect(shown.last?["hash"] == all.last?["hash"] && shown.last?["data"]?["secret"] == nil)
            gateway.log.put(Chain(HubTests.other, count: 1))
            let other = String(repeating: "6d", count: 32)
            gateway.links.make(other, of: HubTests.other)
            let unnamed = try await gateway.viewer(
                "?snapshot=1&debate_id=\(HubTests.other.text)", protocols: ["share_token.\(other)"])
            #expect(try await !unnamed.readAll().types.contains("snapshot"))
            #expect(await unnamed.closeCode == 1011)
        }
    }

    @Test("is asked for with 1, 0, true or false; all else is refused before the socket opens")
    func values() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 1))
            for name in ["snapshot", "batch"] {
                for value in ["2", "yes", "", "TRUE"] {
                    await #expect(throws: WebSocketClientError.refused(status: 400)) {
                        try await gateway.viewer("?debate_id=\(Self.debate.text)&\(name)=\(value)")
                    }
                }
            }
            for value in ["0", "false"] {
                let viewer = try await gateway.viewer(
                    "?debate_id=\(Self.debate.text)&snapshot=\(value)&batch=\(value)&other=9")
                #expect(try await viewer.read(to: "replay_end").seqs == [1])
            }
            let viewer = try await gateway.viewer()
            try await viewer.subscribe(Self.debate, #","snapshot":1"#)
            #expect(try await viewer.settle().warnings == ["INVALID_MESSAGE"])
        }
    }
}

extension Hub {
    /// The bytes of each snapshot that is kept.
    var keptSnapshots: [Int] { feeds.values.flatMap { $0.snapshots.values.map(\.bytes) } }
    var mostPending: Int? { clients.values.map(\.pendingBytes).max() }
}
