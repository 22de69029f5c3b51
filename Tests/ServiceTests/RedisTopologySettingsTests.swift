import Platform
import RedisClient
import Testing

@testable import ServiceKit

@Suite("What Redis is")
struct RedisTopologySettingsTests {
    private static func read(_ more: [String: String]) -> (configuration: RedisConfiguration?, problems: [String]) {
        let values = ["ARAGORA_REDIS_URL": "redis://:secret-of-redis@r:7/2"].merging(more) { $1 }
        var reader = SettingsReader(lookup: { values[$0].flatMap { $0.isEmpty ? nil : $0 } })
        let configuration = StoreSettings.redis(reading: &reader, applicationName: "test")
        return (configuration, reader.problems)
    }

    @Test("one server is what a URL alone means")
    func standalone() throws {
        let (configuration, problems) = Self.read([:])
        #expect(problems.isEmpty)
        guard case .standalone = try #require(configuration).endpoint.topology else {
            Issue.record("not one")
            return
        }
    }

    @Test("sentinels name the primary; user, password and database are the URL's")
    func sentinel() throws {
        let (configuration, problems) = Self.read([
            "ARAGORA_REDIS_MODE": "sentinel", "ARAGORA_REDIS_SENTINELS": "a,b:7", "ARAGORA_REDIS_SENTINEL_MASTER": "m",
            "ARAGORA_REDIS_SENTINEL_PASSWORD": "secret-of-sentinels",
        ])
        #expect(problems.isEmpty)
        let endpoint = try #require(configuration).endpoint
        guard case .sentinel(let group) = endpoint.topology else {
            Issue.record("no sentinels")
            return
        }
        #expect(group.nodes.map(\.description) == ["a:26379", "b:7"])
        #expect(group.name == "m" && group.password?.reveal() == "secret-of-sentinels")
        #expect(endpoint.database == 2 && endpoint.password?.reveal() == "secret-of-redis")
        #expect(endpoint.address == "m by a:26379,b:7")
    }

    @Test("a cluster is known by the URL's node and others, and has one database")
    func cluster() throws {
        let mode = ["ARAGORA_REDIS_MODE": "cluster", "ARAGORA_REDIS_CLUSTER_NODES": "a,b:7"]
        let (configuration, problems) = Self.read(mode.merging(["ARAGORA_REDIS_URL": "redis://r/0"]) { $1 })
        #expect(problems.isEmpty)
        guard case .cluster(let more) = try #require(configuration).endpoint.topology else {
            Issue.record("no cluster")
            return
        }
        #expect(more.map(\.description) == ["a:6379", "b:7"])
        #expect(Self.read(mode).problems == ["ARAGORA_REDIS_URL: a cluster has no database but 0"])
    }

    @Test(
        "a mode that lacks something, and a list that nobody reads, are problems",
        arguments: [
            (["ARAGORA_REDIS_MODE": "sentinel"], "ARAGORA_REDIS_SENTINELS: required"),
            (["ARAGORA_REDIS_SENTINELS": "a"], "ARAGORA_REDIS_SENTINELS: needs ARAGORA_REDIS_MODE=sentinel"),
            (["ARAGORA_REDIS_CLUSTER_NODES": "a"], "ARAGORA_REDIS_CLUSTER_NODES: needs ARAGORA_REDIS_MODE=cluster"),
            (
                ["ARAGORA_REDIS_MODE": "sentinel", "ARAGORA_REDIS_SENTINELS": "a b"],
                "ARAGORA_REDIS_SENTINELS: expected host"
            ),
            (
                ["ARAGORA_REDIS_MODE": "sentinel", "ARAGORA_REDIS_SENTINELS": "a", "ARAGORA_REDIS_URL": ""],
                "ARAGORA_REDIS_MODE: sentinel, and no ARAGORA_REDIS_URL"
            ),
            (["ARAGORA_REDIS_MODE": "ring"], "ARAGORA_REDIS_MODE"),
        ])
    func problems(_ values: [String: String], _ start: String) {
        let problems = Self.read(values).problems
        #expect(problems.count == 1 && problems[0].hasPrefix(start), "\(problems)")
    }
}
