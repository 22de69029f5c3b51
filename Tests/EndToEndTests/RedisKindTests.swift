import Domain
import FaultSupport
import Platform
import RedisClient
import TestSupport
import Testing

@Suite("Redis as others offer it", .needsPostgres)
struct RedisKindTests {
    static func with(
        _ name: String, _ kind: PrivateRedis.Kind, _ body: (Stack) async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis(kind)
        defer { redis.stop() }
        try await Stack.with(name, .init(redisURL: redis.url, latencyMilliseconds: 100)) { stack in
            try await redis.ready(stack)
            try await stack.start(.api(1), .gateway(1), .worker(1))
            try await body(stack)
        }
    }

    /// Debates run, viewers see them live, and text while it is written: that comes by Redis alone.
    static func checkLive(_ stack: Stack) async throws {
        for _ in 1...2 {
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.audit(debate, viewers: viewers)
            for viewer in viewers { stack.check(viewer.tokens > 0, "\(viewer.name) saw no live text") }
        }
        try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        for member in [Stack.Member.api(1), .gateway(1), .worker(1)] { try await stack.ready(member) }
    }

    @Test("without CONFIG, blocking and dangerous commands by its ACL: debates run, and viewers see them live")
    func restricted() async throws {
        let acl = ["+@all", "-config", "-@blocking", "-@dangerous", "-@admin"]
        try await Self.with("redis-acl", .restricted(acl: acl, unnamed: [])) { stack in
            try await stack.withRedis { connection in
                for words in [["CONFIG", "GET", "save"], ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"]] {
                    let error = await #expect(throws: RedisError.self) {
                        try await connection.send(RedisCommand(words: words))
                    }
                    #expect(error?.serverCode == "NOPERM")
                }
            }
            try await Self.checkLive(stack)
            let log = StackFolder.read("\(stack.folder)/worker-1.log")
            stack.check(log.contains(#""state":"sweep only""#), "the worker does not say how it finds debates")
        }
    }

    @Test("with CONFIG and reading by groups renamed away: debates run, and viewers see them live")
    func renamed() async throws {
        let kind = PrivateRedis.Kind.restricted(acl: ["+@all"], unnamed: ["CONFIG", "XREADGROUP", "KEYS", "FLUSHALL"])
        try await Self.with("redis-renamed", kind) { try await Self.checkLive($0) }
    }

    @Test("by TLS with an authority of its own: debates run, and viewers see them live")
    func tls() async throws {
        try await Self.with("redis-tls", .tls) { try await Self.checkLive($0) }
    }
}
