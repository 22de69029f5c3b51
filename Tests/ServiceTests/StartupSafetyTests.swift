import Foundation
import TestSupport
import Testing

/// What no production process starts with, shown by the real executables.
@Suite("An executable in production", .timeLimit(.minutes(2)))
struct StartupSafetyTests {
    /// A setting that is not safe, and what the log says of it.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let code: String
        let setting: String
        let environment: [String: String]
        /// Who refuses it; by default whoever has the setting.
        var services = StartupSafetyTests.everyone
        var testDescription: String { "\(code) \(setting) \(environment.values.sorted())" }
    }

    static let everyone: [String] = ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup"]
    static let serving: [String] = ["aragora-api", "aragora-ws-gateway"]
    static let running: [String] = ["aragora-api", "aragora-debate-worker"]
    static let stored: [String] = ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker"]
    static let good: String = String(repeating: "0123456789abcdef", count: 4)

    /// All that production asks for.
    static var safe: [String: String] {
        [
            "ARAGORA_ENV": "production", "ARAGORA_API_TOKEN": good, "ARAGORA_RECEIPT_SIGNING_KEY": good,
            "ARAGORA_POSTGRES_DSN": StartupTests.noPostgres, "ARAGORA_STARTUP_TIMEOUT": "1",
            "ARAGORA_BACKUP_DIR": FileManager.default.temporaryDirectory.path,
        ]
    }

    static let refusals: [Refusal] = [
        Refusal(code: "ARA-D303", setting: "ARAGORA_JWT_SECRET", environment: ["JWT_SECRET": "CHANGEME_JWT_SECRET"]),
        Refusal(
            code: "ARA-D303", setting: "ARAGORA_ENCRYPTION_KEY",
            environment: ["ARAGORA_ENCRYPTION_KEY": "CHANGEME_ENCRYPTION_KEY"]),
        Refusal(
            code: "ARA-D303", setting: "ARAGORA_POSTGRES_DSN",
            environment: ["ARAGORA_POSTGRES_DSN": "postgresql://aragora:CHANGEME_DB@127.0.0.1:9/aragora"]),
        Refusal(
            code: "ARA-D303", setting: "ARAGORA_REDIS_URL",
            environment: ["ARAGORA_REDIS_URL": "redis://:change-me@127.0.0.1:9"], services: stored),
        Refusal(
            code: "ARA-D303", setting: "ARAGORA_API_TOKEN",
            environment: ["ARAGORA_API_TOKEN": "<your token, 32 characters or more, goes here>"], services: serving),
        Refusal(
            code: "ARA-D303", setting: "ANTHROPIC_API_KEY", environment: ["ANTHROPIC_API_KEY": "sk-ant-your-key"],
            services: running),
        Refusal(
            code: "ARA-D304", setting: "ARAGORA_API_TOKEN", environment: ["ARAGORA_API_TOKEN": ""], services: serving),
        Refusal(
            code: "ARA-D305", setting: "ARAGORA_API_TOKEN", environment: ["ARAGORA_API_TOKEN": "hunter2"],
            services: serving),
        Refusal(
            code: "ARA-D305", setting: "ARAGORA_API_TOKEN_PREVIOUS",
            environment: ["ARAGORA_API_TOKEN_PREVIOUS": "hunter2"], services: serving),
        Refusal(
            code: "ARA-D306", setting: "ARAGORA_JWT_SECRET",
            environment: ["ARAGORA_JWT_SECRET": String(good.prefix(31))]),
        Refusal(
            code: "ARA-D307", setting: "ARAGORA_ENCRYPTION_KEY",
            environment: ["ARAGORA_ENCRYPTION_KEY": String(good.dropLast(2))]),
        Refusal(
            code: "ARA-D307", setting: "ARAGORA_ENCRYPTION_KEY",
            environment: ["ARAGORA_ENCRYPTION_KEY": String(good.dropLast()) + "g"]),
        Refusal(
            code: "ARA-D309", setting: "ARAGORA_RECEIPT_SIGNING_KEY",
            environment: ["ARAGORA_RECEIPT_SIGNING_KEY": "hunter2"], services: running),
        Refusal(
            code: "ARA-D310", setting: "ARAGORA_ALLOWED_ORIGINS",
            environment: ["ARAGORA_ALLOWED_ORIGINS": "https://a.example, *"], services: ["aragora-ws-gateway"]),
        Refusal(
            code: "ARA-D311", setting: "ARAGORA_COOKIE_SECURE", environment: ["ARAGORA_COOKIE_SECURE": "false"]),
        Refusal(
            code: "ARA-D312", setting: "ARAGORA_TRUSTED_PROXIES",
            environment: ["ARAGORA_TRUSTED_PROXIES": "10.0.0.0/8,0.0.0.0/0"], services: serving),
        Refusal(
            code: "ARA-D312", setting: "ARAGORA_TRUSTED_PROXIES", environment: ["ARAGORA_TRUSTED_PROXIES": "::/0"],
            services: serving),
        Refusal(
            code: "ARA-D313", setting: "ARAGORA_MULTI_INSTANCE", environment: ["ARAGORA_MULTI_INSTANCE": "true"],
            services: stored),
        Refusal(
            code: "ARA-D313", setting: "ARAGORA_REQUIRE_DISTRIBUTED",
            environment: ["ARAGORA_REQUIRE_DISTRIBUTED": "true"], services: stored),
    ]

    /// The refusals among a log's lines.
    private static func refused(in log: String) -> [Substring] {
        log.split(separator: "\n").filter { $0.contains("\"message\":\"bad setting\"") }
    }

    @Test("refuses what is not safe, with code 78, its name and how to mend it, never its value", arguments: refusals)
    func refuses(refusal: Refusal) async throws {
        for service in refusal.services {
            let (end, log) = try await StartupTests.run(service, Self.safe.merging(refusal.environment) { $1 })
            #expect(end == .exited(78), "\(service)")
            let lines = Self.refused(in: log)
            #expect(lines.count == 1, "\(service): \(log)")
            #expect(lines.first?.contains("\(refusal.setting): ") == true, "\(service): \(log)")
            #expect(lines.first?.contains("[\(refusal.code)]") == true, "\(service): \(log)")
            for value in refusal.environment.values where value.count > 5 {
                #expect(!log.contains(value), "\(service): \(log)")
            }
        }
    }

    @Test("names everything at once", arguments: serving)
    func allAtOnce(service: String) async throws {
        let unsafe = [
            "ARAGORA_API_TOKEN": "", "JWT_SECRET": "short", "ARAGORA_ENCRYPTION_KEY": "CHANGEME",
            "ARAGORA_COOKIE_SECURE": "no", "ARAGORA_TRUSTED_PROXIES": "0.0.0.0/0", "ARAGORA_MULTI_INSTANCE": "yes",
        ]
        let (end, log) = try await StartupTests.run(service, Self.safe.merging(unsafe) { $1 })
        #expect(end == .exited(78))
        #expect(Self.refused(in: log).count == unsafe.count, "\(log)")
    }

    @Test("outside production the same settings only wait for their stores", arguments: serving)
    func development(service: String) async throws {
        var environment = Self.safe.merging(["ARAGORA_ENV": "development", "JWT_SECRET": "short"]) { $1 }
        environment["ARAGORA_API_TOKEN"] = nil
        environment["ARAGORA_COOKIE_SECURE"] = "false"
        environment["ARAGORA_ALLOWED_ORIGINS"] = "*"
        environment["ARAGORA_TRUSTED_PROXIES"] = "0.0.0.0/0"
        let (end, log) = try await StartupTests.run(service, environment)
        #expect(end == .exited(78))
        #expect(Self.refused(in: log).isEmpty && log.contains("not ready within"), "\(log)")
    }

    @Test("starts without a receipt key, and says what that costs", arguments: running)
    func noReceiptKey(service: String) async throws {
        var environment = Self.safe
        environment["ARAGORA_RECEIPT_SIGNING_KEY"] = nil
        let (_, log) = try await StartupTests.run(service, environment)
        #expect(Self.refused(in: log).isEmpty)
        let advice = log.split(separator: "\n").filter { $0.contains("setting to mend") }
        #expect(advice.count == 1 && advice[0].contains("[ARA-D308]"), "\(log)")
    }

    @Test("a good set of settings is refused by nobody", arguments: everyone)
    func goodSettings(service: String) async throws {
        let all = [
            "ARAGORA_JWT_SECRET": Self.good, "ARAGORA_ENCRYPTION_KEY": Self.good, "ARAGORA_COOKIE_SECURE": "true",
            "ARAGORA_ALLOWED_ORIGINS": "https://aragora.example", "ARAGORA_MULTI_INSTANCE": "true",
            "ARAGORA_REDIS_URL": "redis://:\(Self.good)@127.0.0.1:9", "ARAGORA_REQUIRE_DATABASE": "true",
        ]
        let (_, log) = try await StartupTests.run(service, Self.safe.merging(all) { $1 }) { process in
            while (try? String(contentsOfFile: process.logPath, encoding: .utf8))?.contains("starting") != true {
                guard process.isAlive else { return }
                await Task.yield()
            }
            process.send(SIGTERM)
        }
        #expect(Self.refused(in: log).isEmpty && !log.contains("setting to mend"), "\(log)")
        #expect(log.contains("\"message\":\"starting\""), "\(log)")
    }

    @Test("several instances wait for Redis at the start, and say so", arguments: stored)
    func redisAtStart(service: String) async throws {
        let environment = ["ARAGORA_REDIS_URL": "redis://127.0.0.1:\(FreePort.pick())"]
        let (end, log) = try await StartupTests.run(service, Self.safe.merging(environment) { $1 })
        #expect(end == .exited(78))
        #expect(log.contains("redis_at_start: "), "\(log)")
    }
}
