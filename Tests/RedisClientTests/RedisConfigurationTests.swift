import Platform
import RedisClient
import Testing

@Suite("Redis URL")
struct RedisConfigurationTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let url: String
        let host: String
        var port: UInt16 = 6379
        var user: String?
        var password: String?
        var database = 0
        var tls = false
        var ca: String?
        var testDescription: String { url }
    }

    @Test(
        "reads every part",
        arguments: [
            Sample(url: "redis://localhost", host: "localhost"),
            Sample(url: "redis://localhost/", host: "localhost"),
            Sample(url: "REDIS://h:1", host: "h", port: 1),
            Sample(url: "redis://:secret@redis:6380/3", host: "redis", port: 6380, password: "secret", database: 3),
            Sample(url: "redis://app:p%40ss%2Fw%3Aord@r", host: "r", user: "app", password: "p@ss/w:ord"),
            Sample(url: "redis://app:a:b@r", host: "r", user: "app", password: "a:b"),
            Sample(url: "redis://app:a@b@r", host: "r", user: "app", password: "a@b"),
            Sample(url: "redis://app@r", host: "r", user: "app"),
            Sample(url: "redis://[::1]:7000/1", host: "::1", port: 7000, database: 1),
            Sample(url: "redis://[fe80::2]", host: "fe80::2"),
            Sample(url: "rediss://r?ca=/etc/my%20ca.pem&x=1", host: "r", tls: true, ca: "/etc/my ca.pem"),
        ])
    func reads(sample: Sample) throws {
        let read = try RedisConfiguration(url: sample.url)
        #expect(read.endpoint.host == sample.host)
        #expect(read.endpoint.port == sample.port)
        #expect(read.endpoint.user == sample.user)
        #expect(read.endpoint.password?.reveal() == sample.password)
        #expect(read.endpoint.database == sample.database)
        #expect(read.endpoint.usesTLS == sample.tls)
        #expect(read.endpoint.caFile == sample.ca)
    }

    @Test(
        "refuses what it can not use, without repeating the password",
        arguments: [
            "", "localhost:6379", "http://:hunter2@r", "redis://", "redis://:hunter2@", "redis://:hunter2@r:0",
            "redis://:hunter2@r:65536", "redis://:hunter2@r:port", "redis://:hunter2@r/db", "redis://:hunter2@r/-1",
            "redis://:hunter2%zz@r", "redis://:hunter2%f@r", "redis://:hunter2%ff@r", "redis://:hunter2@[::1",
            "redis://:hunter2@[::1]x",
            "redis://:hunter2@r r",
        ])
    func refuses(url: String) {
        let error = #expect(throws: RedisError.self) { _ = try RedisConfiguration(url: url) }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test("does not print the password")
    func secret() throws {
        let configuration = try RedisConfiguration(url: "redis://app:hunter2@r")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(configuration)".contains("hunter2"))
        #expect(configuration.address == "r:6379")
    }
}
