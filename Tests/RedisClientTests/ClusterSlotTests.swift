import Contracts
import Domain
import Messaging
import Testing

@testable import RedisClient

@Suite("Slots of a cluster")
struct ClusterSlotTests {
    private static let asked = RedisNode(host: "10.0.0.9", port: 7000)

    @Test(
        "a key has the slot that CLUSTER KEYSLOT names",
        arguments: [
            ("123456789", 12739), ("foo", 12182), ("", 0), ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443),
            ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("foo{bar}{zap}", 5061), ("bar", 5061),
            ("p:live:{abc}", 7638),
        ])
    func slots(_ key: String, _ slot: Int) { #expect(ClusterSlot.of(key.utf8) == slot) }

    @Test("a debate's stream and channel, and a provider's two keys, are in one slot each")
    func together() {
        let debate = Sample.debate()
        let keys = Keyspace(generation: 3)
        #expect(ClusterSlot.of(keys.events(debate).utf8) == ClusterSlot.of(keys.live(debate).utf8))
        #expect(
            ClusterSlot.of(keys.breaker(provider: "openai").utf8) == ClusterSlot.of(keys.provider("openai").utf8))
    }

    @Test(
        "a command goes by its first key",
        arguments: [
            (["GET", "foo"], "foo"), (["XADD", "foo", "*", "a", "1"], "foo"),
            (["XGROUP", "CREATE", "foo", "g", "0"], "foo"),
            (["EVALSHA", "abc", "2", "foo", "bar"], "foo"), (["SSUBSCRIBE", "foo"], "foo"),
            (["spublish", "foo", "x"], "foo"),
            (["XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "BLOCK", "5", "STREAMS", "foo", ">"], "foo"),
            (["XAUTOCLAIM", "foo", "g", "c", "0", "0-0"], "foo"),
        ])
    func keyed(_ words: [String], _ key: String) {
        #expect(RedisCommand(words: words).slot == ClusterSlot.of(key.utf8))
        #expect(
            RedisCommand(words: Array(words.prefix(1)), arguments: words.dropFirst().map { Array($0.utf8) }).slot
                == ClusterSlot.of(key.utf8))
    }

    @Test(
        "a command without a key may go anywhere",
        arguments: [
            ["PING"], ["PUBLISH", "foo", "x"], ["SCRIPT", "LOAD", "return 1"], ["EVAL", "return 1", "0"],
            ["SCAN", "0"],
        ])
    func keyless(_ words: [String]) { #expect(RedisCommand(words: words).slot == nil) }

    @Test("the map is read as CLUSTER SLOTS gives it, and follows what it is told")
    func map() throws {
        func node(_ host: RedisReply, _ port: Int64) -> RedisReply {
            .array([host, .integer(port), .string(Array("id".utf8)), .array([])])
        }
        func text(_ value: String) -> RedisReply { .string(Array(value.utf8)) }
        let reply = RedisReply.array([
            .array([.integer(0), .integer(99), node(text("10.0.0.1"), 6379), node(text("10.0.0.7"), 6379)]),
            .array([.integer(100), .integer(100), node(.null, 7000)]),
            .array([.integer(200), .integer(16383), node(text("10.0.0.1"), 6379)]),
        ])
        var map = try SlotMap(reply, asked: Self.asked)
        let first = RedisNode(host: "10.0.0.1", port: 6379)
        #expect(map.primaries == [first, Self.asked])
        #expect(map.owner(of: 0) == first && map.owner(of: 99) == first && map.owner(of: 16383) == first)
        #expect(map.owner(of: 100) == Self.asked)
        #expect(map.owner(of: 150) == nil)
        let new = RedisNode(host: "10.0.0.3", port: 1)
        map.move(99, to: new)
        #expect(map.owner(of: 99) == new && map.owner(of: 98) == first && map.primaries.count == 3)
    }

    @Test(
        "what is not a map is refused",
        arguments: [
            RedisReply.array([]), .null,
            .array([.array([.integer(0), .integer(16384), .array([.null, .integer(1)])])]),
            .error("ERR This instance has cluster support disabled"), .array([.array([.integer(5), .integer(4)])]),
        ])
    func noMap(_ reply: RedisReply) {
        #expect(throws: RedisError.self) { _ = try SlotMap(reply, asked: Self.asked) }
    }

    @Test("redirections are told from other errors")
    func redirections() {
        let target = RedisNode(host: "10.0.0.2", port: 6380)
        #expect(Redirection("MOVED 3999 10.0.0.2:6380", from: Self.asked) == .moved(slot: 3999, target))
        #expect(Redirection("ASK 3999 10.0.0.2:6380", from: Self.asked) == .ask(target))
        #expect(
            Redirection("MOVED 3999 :6380", from: Self.asked)
                == .moved(slot: 3999, RedisNode(host: "10.0.0.9", port: 6380)))
        #expect(Redirection("TRYAGAIN Multiple keys request during rehashing of slot", from: Self.asked) == .tryAgain)
        #expect(
            Redirection("MOVED 1 fd00::1:6380", from: Self.asked)
                == .moved(slot: 1, RedisNode(host: "fd00::1", port: 6380)))
        for text in ["ERR no", "MOVED", "MOVED x 10.0.0.2:6380", "MOVED 1 nowhere", ""] {
            #expect(Redirection(text, from: Self.asked) == nil)
        }
    }

    @Test("a list of servers is read with its ports, and what is none is refused")
    func list() throws {
        let read = try RedisNode.list("a, b:7, [::1]:8,[::2]", defaultPort: 26379)
        #expect(read.map(\.description) == ["a:26379", "b:7", "[::1]:8", "[::2]:26379"])
        #expect(try RedisNode.list("", defaultPort: 1).isEmpty)
        for text in ["a:0", ":1", "a b", "a:x", " ,a"] {
            #expect(throws: RedisError.self) { _ = try RedisNode.list(text, defaultPort: 1) }
        }
    }

    @Test("the sentinels' word about another primary is not ours")
    func switchMaster() {
        let text = Array("mymaster 10.0.0.1 6379 10.0.0.2 6380".utf8)
        #expect(PrimaryWatch.moved(text, "mymaster") == RedisNode(host: "10.0.0.2", port: 6380))
        #expect(PrimaryWatch.moved(text, "other") == nil)
        #expect(PrimaryWatch.moved(Array("mymaster 10.0.0.1".utf8), "mymaster") == nil)
    }
}
