import Contracts
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

@Suite("A viewer of a debate", .timeLimit(.minutes(2)))
struct HubTests {
    static let debate = DebateID(milliseconds: 1_767_322_800_000, random: Array(1...10))
    static let other = DebateID(milliseconds: 1_767_322_800_001, random: Array(1...10))

    @Test("gets the greeting, the standing, the backlog in its frame, then what comes live")
    func replayThenLive() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 3)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let messages = try await viewer.read(to: "replay_end")
            #expect(
                messages.types == [
                    "connected", "connection_info", "subscribed", "replay_start", "event", "event", "event",
                    "replay_end",
                ])
            #expect(messages.seqs == [1, 2, 3])
            let standing = try #require(messages.first { $0.type == "subscribed" })
            #expect(standing["data"]?["latest_seq"]?.int == 3)
            #expect(standing["data"]?["status"]?.string == DebateStatus.running.clientText)
            #expect(messages.first { $0.type == "replay_start" }?["data"]?["event_count"]?.int == 3)
            chain.append()
            gateway.log.put(chain)
            await gateway.publish(chain.entries[3], Self.debate)
            #expect(try await viewer.next().seq == 4)
        }
    }

    @Test("is told when the events were removed, and is not asked to wait")
    func removed() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            gateway.log.remove(Self.debate)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let messages = try await viewer.read(to: "error")
            #expect(messages.last?["data"]?["code"]?.int == 410, "\(messages)")
        }
    }

    @Test(
        "sees no gap and no duplicate when events arrive while the backlog is read",
        arguments: [1, 127, 128, 129, 300] as [Int64])
    func race(count: Int64) async throws {
        try await GatewayFixture.with { gateway in
            gateway.growWhileRead(Chain(Self.debate, count: count), Self.debate)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let total = count + 2
            var seen = try await viewer.read(through: total).seqs
            seen += try await viewer.settle().seqs
            #expect(seen == Array(1...Int64(seen.count)))
            #expect(Int64(seen.count) >= total)
        }
    }

    @Test("gets what was missed between from the log, by one read that all share")
    func gap() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 2)
            gateway.log.put(chain)
            var viewers: [Viewer] = []
            for _ in 0..<5 {
                let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
                try await viewer.read(to: "replay_end")
                viewers.append(viewer)
            }
            for _ in 0..<4 { chain.append() }
            gateway.log.put(chain)
            let before = gateway.log.pages.count
            await gateway.publish(chain.entries[5], Self.debate)
            await gateway.publish(chain.entries[4], Self.debate)
            for viewer in viewers { #expect(try await viewer.read(through: 6).seqs == [3, 4, 5, 6]) }
            #expect(gateway.log.pages.count == before + 1)
            for viewer in viewers { #expect(try await viewer.settle().seqs == []) }
        }
    }

    @Test("is not moved by an event that Redis has and the log has not")
    func ahead() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 2)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            let stray = PublishedEntry(
                kind: .event, seq: .max, epoch: 9, hash: chain.tail.hash, prevHash: chain.tail.hash,
                envelope: Array("{}".utf8))
            await gateway.publish(stray, Self.debate)
            await gateway.publishToken("x", after: .max, epoch: 9, Self.debate)
            _ = try await viewer.settle()
            chain.append(epoch: 9)
            gateway.log.put(chain)
            await gateway.publish(chain.entries[2], Self.debate)
            #expect(try await viewer.read(through: 3).seqs == [3])
        }
    }

    @Test("is told LOG_RESET and reads from 1 when the next event has another past")
    func otherPast() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            let restored = Chain(Self.debate, count: 4, branch: 9)
            gateway.log.put(restored)
            await gateway.publish(restored.entries[3], Self.debate)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.warnings == ["LOG_RESET"])
            #expect(messages.seqs == [1, 2, 3, 4])
            #expect(messages.first?.warning == "LOG_RESET")
        }
    }

    @Test("gets from the poll what Redis lost")
    func poll() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 1)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            for _ in 0..<200 { chain.append() }
            gateway.log.put(chain)
            await gateway.hub.resubscribed()
            #expect(try await viewer.read(through: 201).seqs == Array(2...201))
        }
    }

    @Test(
        "is told LOG_RESET when a poll shows a shorter log, or another one of the same length",
        arguments: [2, 3] as [Int64])
    func pollReset(count: Int64) async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            await gateway.hub.resubscribed()
            #expect(try await viewer.settle().isEmpty)
            gateway.log.put(Chain(Self.debate, count: count, branch: 7))
            await gateway.hub.resubscribed()
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.warnings == ["LOG_RESET"])
            #expect(messages.seqs == Array(1...count))
            await gateway.hub.resubscribed()
            #expect(try await viewer.settle().isEmpty)
        }
    }

    @Test("reads again when the publisher says the log was replaced")
    func published() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 2))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            gateway.log.put(Chain(Self.debate, count: 3, branch: 3))
            await gateway.publish(
                PublishedEntry(live: .reset, seq: 3, epoch: 2, envelope: Array("{}".utf8)), Self.debate)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.warnings == ["LOG_RESET"])
            #expect(messages.seqs == [1, 2, 3])
        }
    }

    @Test("tells nobody what was erased, not even from what it kept of it for those who come late")
    func erased() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3, padding: 9))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            // Erasure leaves every hash as it was.
            gateway.log.put(Chain(Self.debate, count: 3))
            await gateway.publish(
                PublishedEntry(live: .reset, seq: 0, epoch: 0, envelope: Array("{}".utf8)), Self.debate)
            for viewer in [viewer, try await gateway.viewer("?debate_id=\(Self.debate.text)")] {
                let events = try await viewer.read(to: "replay_end").filter { $0.type == "event" }
                #expect(events.map { $0["pad"]?.string } == ["", "", ""])
            }
        }
    }

    @Test(
        "resumes after the number and hash it names, and begins anew when the hash is another",
        arguments: [true, false])
    func afterHash(isSame: Bool) async throws {
        try await GatewayFixture.with { gateway in
            let chain = Chain(Self.debate, count: 5)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer()
            let hash = (isSame ? chain : Chain(Self.debate, count: 5, branch: 5)).entries[2].hash
            let hex = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            try await viewer.subscribe(Self.debate, #","replay_from_seq":4,"after_hash":"\#(hex)""#)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.warnings == (isSame ? [] : ["LOG_RESET"]))
            #expect(messages.seqs == (isSame ? [4, 5] : [1, 2, 3, 4, 5]))
        }
    }

    @Test("that comes from a gateway which was ahead of this one is not taken for one of another log")
    func outran() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 5)
            gateway.log.put(chain)
            let first = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await first.read(to: "replay_end")
            // Committed, and shown by another gateway; this one has not heard of it yet.
            for _ in 0..<2 { chain.append() }
            gateway.log.put(chain)
            let hex = chain.tail.hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let viewer = try await gateway.viewer()
            try await viewer.subscribe(Self.debate, #","replay_from_seq":8,"after_hash":"\#(hex)""#)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.seqs == [] && messages.warnings == [])
            await gateway.publish(chain.append(), Self.debate)
            #expect(try await viewer.read(through: 8).seqs == [8])
            // One that claims what nobody ever wrote reads all of it.
            let liar = try await gateway.viewer()
            gateway.log.put(chain)
            try await liar.subscribe(Self.debate, #","replay_from_seq":30,"after_hash":"\#(hex)""#)
            #expect(try await liar.read(to: "replay_end").warnings == ["LOG_RESET"])
        }
    }

    @Test("that has everything resumes to nothing, then to what is new")
    func resumeAtTheEnd() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 5)
            gateway.log.put(chain)
            for query in ["replay_from_seq=6", "since_seq=5"] {
                let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)&\(query)")
                let messages = try await viewer.read(to: "replay_end")
                #expect(messages.seqs == [] && messages.warnings == [])
                let entry = chain.append()
                gateway.log.put(chain)
                await gateway.publish(entry, Self.debate)
                #expect(try await viewer.next().seq == entry.seq)
                chain = Chain(Self.debate, count: 5)
                gateway.log.put(chain)
                await viewer.socket.abort()
            }
        }
    }

    @Test("that knows more than the log has is told LOG_RESET", arguments: ["7", "9007199254740991"])
    func resumePastTheEnd(seq: String) async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 5))
            let viewer = try await gateway.viewer()
            try await viewer.subscribe(Self.debate, #","replay_from_seq":\#(seq)"#)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.warnings == ["LOG_RESET"])
            #expect(messages.seqs == [1, 2, 3, 4, 5])
        }
    }

    @Test("takes the backlog from the cache only when that reaches the log's hash")
    func cache() async throws {
        try await GatewayFixture.with { gateway in
            let chain = Chain(Self.debate, count: 4)
            gateway.log.put(chain)
            gateway.live.put(chain)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            #expect(try await viewer.read(to: "replay_end").seqs == [1, 2, 3, 4])
            #expect(gateway.log.pages.isEmpty)
            // What was shown is kept while somebody watches.
            await Self.leave(viewer, gateway)
            gateway.live.put(Chain(Self.debate, count: 4, branch: 2))
            let second = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let messages = try await second.read(to: "replay_end")
            #expect(
                messages.filter { $0.seq != nil }.allSatisfy { $0["branch"]?.int == 0 }
                    && messages.seqs == [1, 2, 3, 4])
            #expect(gateway.log.pages == [1])
            await Self.leave(second, gateway)
            gateway.live.put(Chain(Self.debate, count: 3))
            let third = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            #expect(try await third.read(to: "replay_end").seqs == [1, 2, 3, 4])
            #expect(gateway.log.pages == [1, 1])
        }
    }

    private static func leave(_ viewer: Viewer, _ gateway: GatewayFixture) async {
        await viewer.socket.close()
        await gateway.until { gateway.metrics.value(.gatewayWatched) == 0 }
    }

    @Test("of a debate that is not there gets error 404, and may watch another")
    func unknown() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.other, count: 1))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let error = try #require(try await viewer.read(to: "error").last)
            #expect(error["data"]?["code"]?.int == 404)
            #expect(error["debate_id"]?.string == Self.debate.text)
            await gateway.until { gateway.metrics.value(.gatewayWatched) == 0 && gateway.live.channels.isEmpty }
            try await viewer.subscribe(Self.other)
            #expect(try await viewer.read(to: "replay_end").seqs == [1])
        }
    }

    @Test("whose replay fails for want of Postgres goes on where it was", arguments: [1, 2, 3])
    func postgresAway(failures: Int) async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 200))
            let pages = Lock(0)
            gateway.log.beforePage { _ in
                let isSecond = pages.withLock {
                    $0 += 1; return $0 == 2
                }
                if isSecond { gateway.log.fail(failures) }
            }
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.seqs == Array(1...200))
            #expect(messages.types.filter { $0 == "subscribed" }.count == 1)
            #expect(messages.warnings == [])
        }
    }

    @Test("watches several debates on one socket, and stops with one of them")
    func several() async throws {
        try await GatewayFixture.with { gateway in
            var (one, two) = (Chain(Self.debate, count: 2), Chain(Self.other, count: 3))
            gateway.log.put(one)
            gateway.log.put(two)
            let viewer = try await gateway.viewer()
            try await viewer.subscribe(Self.debate)
            try await viewer.subscribe(Self.other)
            let messages = try await viewer.read(to: "replay_end") + viewer.read(to: "replay_end")
            for (chain, id) in [(one, Self.debate), (two, Self.other)] {
                #expect(messages.filter { $0["debate_id"]?.string == id.text }.seqs == chain.entries.map(\.seq))
            }
            try await viewer.say(#"{"type":"unsubscribe","debate_id":"\#(Self.debate.text)"}"#)
            try await viewer.read(to: "unsubscribed")
            await gateway.until { gateway.live.channels == [Self.other] }
            let (first, second) = (one.append(), two.append())
            gateway.log.put(one)
            gateway.log.put(two)
            await gateway.publish(first, Self.debate)
            await gateway.publish(second, Self.other)
            let live = try await viewer.settle()
            #expect(live.map { $0["debate_id"]?.string } == [Self.other.text])
        }
    }

    @Test("may watch 64 debates, and not one more")
    func tooMany() async throws {
        try await GatewayFixture.with { gateway in
            let viewer = try await gateway.viewer()
            let limit = Hub.maxSubscriptionsPerClient
            for number in 0..<Int64(limit + 1) {
                let id = DebateID(milliseconds: 1_767_322_800_000 + number, random: Array(1...10))
                gateway.log.put(Chain(id, count: 1))
            }
            // Slower than the message limit allows would take seconds: subscribe in the client's name.
            let ids = (0..<Int64(limit + 1)).map {
                DebateID(milliseconds: 1_767_322_800_000 + $0, random: Array(1...10))
            }
            try await viewer.subscribe(ids[0])
            try await viewer.read(to: "replay_end")
            let client = try #require(await gateway.hub.someClient)
            for id in ids.dropFirst() {
                await gateway.hub.subscribe(client, ClientMessage.Subscription(debateID: id))
            }
            let messages = try await viewer.read { $0.warning == "TOO_MANY_SUBSCRIPTIONS" }
            #expect(messages.last?["debate_id"]?.string == ids[limit].text)
            #expect(gateway.metrics.value(.gatewayWatched) == Double(limit))
        }
    }

    @Test("that subscribes again without a number hears the real status, and no event twice")
    func again() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            gateway.log.set(.completed)
            try await viewer.subscribe(Self.debate)
            let standing = try #require(try await viewer.read(to: "subscribed").last)
            #expect(standing["data"]?["status"]?.string == DebateStatus.completed.clientText)
            #expect(standing["data"]?["latest_seq"]?.int == 3)
            #expect(try await viewer.settle().isEmpty)
            try await viewer.subscribe(Self.debate, #","replay_from_seq":2"#)
            #expect(try await viewer.read(to: "replay_end").seqs == [2, 3])
        }
    }

    @Test("that subscribes again while the log is still being asked gets two answers and one backlog")
    func againEarly() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 2))
            let (asked, may) = (Latch(), Latch())
            gateway.log.beforeTail {
                asked.open(); await may.wait()
            }
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            await asked.wait()
            try await viewer.subscribe(Self.debate)
            _ = try await viewer.settle()
            may.open()
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.types.filter { $0 == "subscribed" }.count == 2)
            #expect(messages.seqs == [1, 2])
        }
    }

    @Test("goes without token deltas while it replays, of an older epoch, and of what is already said")
    func tokens() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate, count: 2)
            gateway.log.put(chain)
            let (asked, may) = (Latch(), Latch())
            gateway.log.beforePage { _ in
                asked.open(); await may.wait()
            }
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            await asked.wait()
            await gateway.publishToken("while replaying", after: 2, epoch: 2, Self.debate)
            may.open()
            try await viewer.read(to: "replay_end")
            await gateway.publishToken("good", after: 2, epoch: 2, Self.debate)
            await gateway.publishToken("older epoch", after: 2, epoch: 1, Self.debate)
            let entry = chain.append(epoch: 2)
            gateway.log.put(chain)
            await gateway.publish(entry, Self.debate)
            await gateway.publishToken("already said", after: 2, epoch: 2, Self.debate)
            await gateway.publishToken("next", after: 3, epoch: 2, Self.debate)
            let messages = try await viewer.settle()
            #expect(messages.compactMap { $0["text"]?.string } == ["good", "next"])
            #expect(messages.types == ["token_delta", "event", "token_delta"])
        }
    }

    @Test("that leaves in the middle of a replay takes nothing down, and leaves nothing behind")
    func leaving() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 300))
            for round in 0..<20 {
                let (asked, may) = (Latch(), Latch())
                if round % 2 == 0 {
                    gateway.log.beforePage { _ in
                        asked.open(); await may.wait()
                    }
                    gateway.log.beforeTail {}
                } else {
                    gateway.log.beforeTail {
                        asked.open(); await may.wait()
                    }
                    gateway.log.beforePage { _ in }
                }
                let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)&replay_from_seq=\(1 + round)")
                await asked.wait()
                await viewer.socket.abort()
                await gateway.until { gateway.metrics.value(.websocketConnections) == 0 }
                may.open()
            }
            await gateway.until { gateway.live.channels.isEmpty }
            #expect(gateway.metrics.value(.gatewayWatched) == 0)
            let client = await gateway.hub.someClient
            #expect(client == nil)
        }
    }

    @Test("is freed with everything it held once it has gone", arguments: ["", "&replay_from_seq=3"])
    func freed(query: String) async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 3))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)\(query)")
            try await viewer.read(to: "replay_end")
            let remains = try #require(await gateway.hub.remains(of: Self.debate))
            #expect(!remains.areGone)
            await viewer.socket.close()
            while await viewer.socket.receive() != nil {}
            await gateway.until { remains.areGone }
        }
    }
}

/// What must be freed when a client has gone.
private final class Remains: @unchecked Sendable {  // weak references, looked at but never used
    private weak var session: ClientSession?
    private weak var subscription: Subscription?

    init(_ session: ClientSession, _ subscription: Subscription) {
        self.session = session
        self.subscription = subscription
    }

    var areGone: Bool { session == nil && subscription == nil }
}

extension Hub {
    var someClient: ClientSession? { clients.values.first }

    fileprivate func remains(of debate: DebateID) -> Remains? {
        guard let client = someClient, let subscription = client.subscriptions[debate] else { return nil }
        return Remains(client, subscription)
    }
}
