import Contracts
import Crypto
import Domain
import HTTP
import Platform
import Testing

@testable import aragora_ws_gateway

/// Who watches by a shared link: one debate, as long as the link holds, and nothing else.
@Suite("Somebody with a shared link", .timeLimit(.minutes(1)))
struct LinkTests {
    private static let debate = HubTests.debate
    private static let token = String(repeating: "5c", count: 32)
    private static let auth = ["ARAGORA_API_TOKEN": GatewayFixture.token]

    private func watch(_ gateway: GatewayFixture, _ token: String = LinkTests.token) async throws -> Viewer {
        try await gateway.viewer(protocols: ["aragora-v1", "share_token.\(token)"])
    }

    @Test("sees its debate, text on its way too, and is refused every other; what else it shows changes nothing")
    func confined() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            var chain = Chain(Self.debate)
            chain.appendSealed("debate_start")
            chain.appendSealed("vote", secret: "seen")
            gateway.log.put(chain)
            gateway.log.put(Chain(HubTests.other, count: 2))
            gateway.links.make(Self.token, of: Self.debate)
            for query in ["", "?token=\(GatewayFixture.token)"] {
                let viewer = try await gateway.viewer(
                    query, protocols: ["aragora-v1", "share_token.\(Self.token)"])
                let info = try #require(try await viewer.read(to: "connection_info").last)
                #expect(info["data"]?["authenticated"]?.bool == false)
                try await viewer.subscribe(HubTests.other)
                let refused = try #require(try await viewer.read(to: "error").last)
                #expect(refused["data"]?["code"]?.int == 403)
                try await viewer.subscribe(Self.debate)
                let shown = try await viewer.read(to: "replay_end")
                #expect(shown.seqs == [1, 2])
                #expect(shown.last { $0.seq == 2 }?["data"]?["secret"]?.string == "seen")
                await gateway.publishToken("live", after: 2, epoch: 1, Self.debate)
                #expect(try await viewer.settle().types == ["token_delta"])
            }
        }
    }

    @Test("without a link in force is refused before the socket opens, and so is everybody while none can be looked up")
    func refused() async throws {
        try await GatewayFixture.with { gateway in
            await #expect(throws: WebSocketClientError.refused(status: 404)) { try await watch(gateway) }
            await #expect(throws: WebSocketClientError.refused(status: 404)) { try await watch(gateway, "") }
            gateway.links.make(Self.token, of: Self.debate)
            gateway.links.setAway(true)
            await #expect(throws: WebSocketClientError.refused(status: 503)) { try await watch(gateway) }
        }
    }

    @Test(
        "is not shown what is the organization's, from the log or live, and can follow the chain all the same",
        arguments: ["budget_alert", "knowledge_recalled"])
    func withheld(type: String) async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate)
            chain.appendSealed("debate_start")
            chain.appendSealed(type, secret: "ours")
            gateway.log.put(chain)
            gateway.links.make(Self.token, of: Self.debate)
            let viewer = try await watch(gateway)
            try await viewer.subscribe(Self.debate)
            let own = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            var (shown, all) = (try await viewer.read(to: "replay_end"), try await own.read(to: "replay_end"))
            let live = chain.appendSealed(type, secret: "ours")
            gateway.log.put(chain)
            await gateway.publish(live, Self.debate)
            (shown, all) = (shown + (try await viewer.read(through: 3)), all + (try await own.read(through: 3)))
            for seq in [Int64(2), 3] {
                let (erased, whole) = (shown.first { $0.seq == seq }, all.first { $0.seq == seq })
                #expect(erased?["data"]?["erased"]?.bool == true && erased?["salt"]?.string == "")
                #expect(erased?["data"]?["secret"] == nil && whole?["data"]?["secret"]?.string == "ours")
                #expect(erased?["hash"] == whole?["hash"] && erased?["prev_hash"] == whole?["prev_hash"])
                let salted = [UInt8](repeating: 7, count: 16) + CanonicalJSON.encode(try #require(whole?["data"]))
                #expect(erased?["data_hash"]?.string == Hex.encode(SHA256.hash(salted)))
            }
        }
    }

    @Test("is shown nothing that nobody can name")
    func unknown() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 1))
            gateway.links.make(Self.token, of: Self.debate)
            let viewer = try await watch(gateway)
            try await viewer.subscribe(Self.debate)
            #expect(try await viewer.readAll().seqs.isEmpty)
            #expect(await viewer.closeCode == 1011)
        }
    }

    @Test("is closed with 4001 when the link is revoked, and does not come back; others stay")
    func revoked() async throws {
        try await GatewayFixture.with { gateway in
            var chain = Chain(Self.debate)
            chain.appendSealed("debate_start")
            gateway.log.put(chain)
            let other = String(repeating: "6d", count: 32)
            gateway.links.make(Self.token, of: Self.debate)
            gateway.links.make(other, of: Self.debate)
            let (leaving, staying) = (try await watch(gateway), try await watch(gateway, other))
            let own = try await gateway.viewer()
            for viewer in [leaving, staying, own] {
                try await viewer.subscribe(Self.debate)
                try await viewer.read(to: "replay_end")
            }
            #expect(await gateway.hub.compareLinks())
            #expect(try await leaving.settle().isEmpty)
            gateway.links.revoke(Self.token)
            #expect(await gateway.hub.compareLinks())
            #expect(try await leaving.readAll().types == ["auth_revoked"])
            #expect(await leaving.closeCode == 4001)
            #expect(try await staying.settle().isEmpty)
            #expect(try await own.settle().isEmpty)
            await #expect(throws: WebSocketClientError.refused(status: 404)) { try await watch(gateway) }
        }
    }

    @Test("is closed with 4001 when the link's time is over")
    func expired() async throws {
        try await GatewayFixture.with { gateway in
            gateway.links.make(Self.token, of: Self.debate, millisecondsFromNow: 300)
            let viewer = try await watch(gateway)
            #expect(try await viewer.readAll().types.last == "auth_revoked")
            #expect(await viewer.closeCode == 4001)
        }
    }

    @Test("is closed when nobody can say for long whether the link holds, and let in again when somebody can")
    func unsure() async throws {
        try await GatewayFixture.with { gateway in
            gateway.links.make(Self.token, of: Self.debate)
            let (viewer, own) = (try await watch(gateway), try await gateway.viewer())
            try await viewer.read(to: "connection_info")
            try await own.read(to: "connection_info")
            gateway.links.setAway(true)
            #expect(await !gateway.hub.compareLinks())
            #expect(try await viewer.settle().isEmpty)
            await gateway.hub.closeLinks()
            #expect(try await viewer.readAll().types.allSatisfy { $0 == "warning" })
            #expect(await viewer.closeCode == 1011)
            #expect(try await own.settle().isEmpty)
            gateway.links.setAway(false)
            #expect(try await watch(gateway).next().type == "connected")
        }
    }

    @Test("is looked at again by the hub's own clock")
    func clock() async throws {
        try await GatewayFixture.with { gateway in
            gateway.links.make(Self.token, of: Self.debate)
            let viewer = try await watch(gateway)
            try await viewer.read(to: "connection_info")
            let shutdown = ShutdownSignal()
            let poll = Task(executorPreference: gateway.loop) { await gateway.hub.poll(until: shutdown) }
            gateway.links.revoke(Self.token)
            #expect(try await viewer.readAll().types.last == "auth_revoked")
            #expect(gateway.links.looks > 0)
            shutdown.request()
            poll.cancel()
            await poll.value
        }
    }
}
