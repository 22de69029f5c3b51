import Contracts
import Crypto
import Platform
@testable import PostgresClient
import RedisClient
import ServiceKit
import Sockets
import Testing

@testable import aragora

/// What the examinations conclude, without a store; Tests/Deploy/doctor shows it on real ones.
@Suite("Doctor")
struct DoctorTests {
    typealias Check = CommandReports.Check

    private static func check(_ fault: Fault, _ name: String = "x") -> Check { .fault(fault, name, "m") }

    private static func codes(_ checks: Check...) -> Set<String> {
        Set(
            Causes.only([("a", Array(checks.dropLast())), ("b", [checks[checks.count - 1]])]).flatMap(\.checks)
                .compactMap(\.code))
    }

    // MARK: Causes

    @Test("a consequence goes when its cause is there, in whatever section, and stays without it")
    func causes() {
        #expect(Self.codes(Self.check(.postgresPassword), Self.check(.serviceNotReady)) == ["ARA-D102"])
        #expect(Self.codes(Self.check(.serviceNotReady), Self.check(.certificateName)) == ["ARA-D806", "ARA-D402"])
        #expect(Self.codes(Self.check(.backupOld), Self.check(.backupFailed)) == ["ARA-D702"])
        #expect(Self.codes(Self.check(.clockSkew), Self.check(.certificateExpired)) == ["ARA-D109"])
        #expect(Self.codes(Self.check(.workerMissing), Self.check(.deadLetters)) == ["ARA-D601", "ARA-D603"])
    }

    @Test("a refusal of a placeholder is the placeholder's, and of another secret is not")
    func placeholders() {
        let placeholder = Check.fault(.secretPlaceholder, "passwords", "ANTHROPIC_API_KEY: is still the placeholder")
        let refused = Self.check(.providerKeyRefused, "provider_anthropic")
        #expect(Self.codes(placeholder, refused) == ["ARA-D303"])
        #expect(
            Self.codes(placeholder, Self.check(.providerKeyRefused, "provider_openai")) == ["ARA-D303", "ARA-D502"])
        #expect(Self.codes(placeholder, Self.check(.redisPassword)) == ["ARA-D303", "ARA-D202"])
    }

    // MARK: Redis

    static let info = """
        # Server\r
        redis_version:7.2.3\r
        role:master\r
        used_memory:1000\r
        mem_not_counted_for_evict:0\r
        maxmemory:100000\r
        maxmemory_policy:volatile-lru\r
        aof_enabled:1\r
        db0:keys=5,expires=2,avg_ttl=0\r
        db3:keys=1,expires=1,avg_ttl=0\r

        """

    private static func faults(
        _ changes: [String: String] = [:], settings: [String: String]? = ["maxmemory-policy": "volatile-lru"]
    ) -> [String] {
        let info = RedisExamination.parse(info: info).merging(changes) { $1 }
        return RedisExamination.checks(info: info, settings: settings).compactMap(\.code)
    }

    @Test("INFO is read line by line, expiring keys of all databases together")
    func parse() {
        let info = RedisExamination.parse(info: Self.info)
        #expect(info["redis_version"] == "7.2.3" && info["expires"] == "3" && info["maxmemory"] == "100000")
        #expect(Self.faults() == [])
    }

    @Test("memory is a fault only when it is nearly used up and nothing may be evicted")
    func memory() {
        let full = ["used_memory": "95000", "expires": "0"]
        #expect(Self.faults(full) == ["ARA-D205"])
        #expect(Self.faults(["used_memory": "94999", "expires": "0"]) == [])
        #expect(Self.faults(["used_memory": "95000", "expires": "1"]) == [])
        #expect(Self.faults(full.merging(["mem_not_counted_for_evict": "1"]) { $1 }) == [])
        #expect(Self.faults(full.merging(["maxmemory": "0"]) { $1 }) == [])
        #expect(Self.faults(full, settings: ["maxmemory-policy": "noeviction"]) == ["ARA-D205"])
    }

    @Test("without CONFIG, INFO says policy and append-only file; what neither says is named")
    func refused() {
        #expect(Self.faults(["maxmemory_policy": "allkeys-lfu"], settings: nil) == ["ARA-D203", "ARA-D206"])
        #expect(Self.faults(["aof_enabled": "0"], settings: nil) == ["ARA-D204", "ARA-D206"])
        let blind = RedisExamination.checks(info: [:], settings: nil)
        #expect(blind.compactMap(\.code) == ["ARA-D206"])
        #expect(blind.last?.message.hasSuffix("appendfsync, maxmemory-policy, appendonly, memory") == true)
    }

    @Test("of several servers, what is right with all is told once, and what is wrong by the server's name")
    func servers() {
        let good = RedisExamination.checks(
            info: RedisExamination.parse(info: Self.info), settings: ["maxmemory-policy": "volatile-lru"])
        let bad = RedisExamination.checks(
            info: RedisExamination.parse(info: Self.info), settings: ["maxmemory-policy": "allkeys-lru"])
        #expect(RedisExamination.merged([("a:1", bad)]) == bad)
        #expect(RedisExamination.merged([("a:1", good), ("b:2", good)]) == good)
        let mixed = RedisExamination.merged([("a:1", good), ("b:2", bad), ("c:3", good)])
        #expect(mixed.count == good.count)
        #expect(mixed.filter { $0.status == .passed } == good.filter { $0.name != "redis_policy" })
        #expect(mixed.last?.code == "ARA-D203")
        #expect(mixed.last?.message == "Redis at b:2: maxmemory-policy is allkeys-lru")
    }

    // MARK: Postgres

    @Test(
        "libpq's and the server's refusals are told apart",
        arguments: [
            (PGError(connecting: "FATAL:  28P01: no"), "ARA-D102"),
            (PGError(connecting: "FATAL:  28000: no"), "ARA-D102"),
            (PGError(connecting: "fe_sendauth: no password supplied"), "ARA-D102"),
            (PGError(connecting: "FATAL:  3D000: no"), "ARA-D103"),
            (PGError(connecting: "FATAL:  53300: no"), "ARA-D104"),
            (PGError(connecting: "FATAL:  57P03: starting up"), "ARA-D110"),
            (PGError(connecting: "FATAL:  08P01: SASL authentication failed"), "ARA-D102"),
            (PGError(connecting: "FATAL:  08P01: no such database: x"), "ARA-D103"),
            (PGError(connecting: "FATAL:  08P01: no more connections allowed (max_client_conn)"), "ARA-D104"),
            (PGError(connecting: "Connection refused"), "ARA-D101"), (PGError(.invalid, "no DSN"), "ARA-D301"),
        ])
    func postgres(error: PGError, code: String) { #expect(PostgresExamination.check(of: error).code == code) }

    // MARK: Text

    @Test("a finding is a line with its code and a line that mends it, whatever a server said")
    func lines() {
        let console = Console(
            isInteractive: false, usesColour: false, width: 80, writeOut: { _ in }, writeError: { _ in })
        let found = Check.fault(.redisPassword, "redis", "Redis: \u{1B}[2Jno\nline two")
        #expect(
            CheckLine.lines(found, console, indent: "  ") == [
                "  ✗ [ARA-D202] Redis: [2Jno line two", "      → \(Fault.redisPassword.fix)",
            ])
        #expect(CheckLine.lines(.note("x", "not checked"), console) == ["○ not checked"])
    }

    @Test("a check that hangs is left behind at its deadline", .timeLimit(.minutes(1)))
    func deadline() async throws {
        let loop = try EventLoop(name: "doctor-test")
        let never = await answer(within: .milliseconds(20), on: loop) { () -> Int in
            try? await loop.sleep(for: .seconds(3600))
            // The sleep ends with the cancellation; what comes after it is nobody's answer.
            return 1
        }
        #expect(never == nil)
        #expect(await answer(within: .seconds(30), on: loop) { 2 } == 2)
    }

    // MARK: Placeholders

    @Test(
        "texts of templates are no secrets",
        arguments: [
            "CHANGEME", "changeme_encryption_key", "change-me", "please_change_me_now", "<your key>", "your-api-key",
            "sk-ant-your-key", "sk-...", "REPLACE_ME",
        ])
    func placeholder(text: String) { #expect(Secret(text).isPlaceholder) }

    @Test(
        "secrets are no texts of templates",
        arguments: ["3f9c0a", "sk-ant-api03-Zm9v", "sk-proj-yourself", "correct horse battery staple", ""])
    func secret(text: String) { #expect(!Secret(text).isPlaceholder) }
}
