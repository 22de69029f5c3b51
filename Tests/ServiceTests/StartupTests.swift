import Foundation
import TestSupport
import Testing

/// Real executables that can not start as they should.
@Suite("An executable at its start", .timeLimit(.minutes(2)))
struct StartupTests {
    static let services = ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker"]

    /// Runs an executable to its end and returns that with what it logged.
    static func run(
        _ name: String, _ environment: [String: String], arguments: [String] = [],
        meanwhile: (ServiceProcess) async throws -> Void = { _ in }
    ) async throws -> (end: ServiceProcess.End, log: String) {
        let folder = ProcessInfo.processInfo.environment["ARAGORA_BIN_DIR"] ?? ".build/debug"
        let log = FileManager.default.temporaryDirectory.appending(path: "startup-\(UUID().uuidString).log").path
        defer { try? FileManager.default.removeItem(atPath: log) }
        let ports = [
            "ARAGORA_PORT": "0", "ARAGORA_WS_PORT": "0", "ARAGORA_METRICS_PORT": "0",
            "ARAGORA_BIND_ADDRESS": "127.0.0.1",
        ]
        let process = try ServiceProcess(
            name: name, binary: "\(folder)/\(name)", arguments: arguments,
            environment: ports.merging(environment) { $1 },
            logPath: log)
        try await meanwhile(process)
        let end = try await process.waitForEnd()
        return (end, try String(contentsOfFile: log, encoding: .utf8))
    }

    static var noPostgres: String { "postgresql://nobody:hunter2@127.0.0.1:\(FreePort.pick())/none" }

    @Test("gives up with code 78 and the reason when its stores stay away", arguments: services)
    func storesAway(service: String) async throws {
        let (end, log) = try await Self.run(
            service, ["ARAGORA_POSTGRES_DSN": Self.noPostgres, "ARAGORA_STARTUP_TIMEOUT": "1"])
        #expect(end == .exited(78))
        let last = try #require(log.split(separator: "\n").last { $0.contains("can not start") })
        #expect(last.contains("not ready within 1.0 seconds") && last.contains("database: "))
        #expect(!log.contains("hunter2"))
    }

    @Test("names every bad setting at once, without secrets, and ends with code 78", arguments: services)
    func badSettings(service: String) async throws {
        let (end, log) = try await Self.run(
            service,
            [
                "ARAGORA_ENV": "staging", "ARAGORA_METRICS_PORT": "70000", "ARAGORA_STARTUP_TIMEOUT": "soon",
                "ARAGORA_REDIS_URL": "http://user:hunter2@host",
            ])
        #expect(end == .exited(78))
        for name in [
            "ARAGORA_ENV", "ARAGORA_METRICS_PORT", "ARAGORA_STARTUP_TIMEOUT", "ARAGORA_POSTGRES_DSN",
            "ARAGORA_REDIS_URL",
        ] {
            #expect(log.contains("\(name):"), "\(name)")
        }
        #expect(!log.contains("hunter2"))
    }

    @Test("stops with code 0 when it is asked to while it still waits", arguments: services)
    func stopped(service: String) async throws {
        let (end, log) = try await Self.run(
            service, ["ARAGORA_POSTGRES_DSN": Self.noPostgres, "ARAGORA_STARTUP_TIMEOUT": "60"]
        ) { process in
            while (try? String(contentsOfFile: process.logPath, encoding: .utf8))?.contains("listening") != true {
                await Task.yield()
            }
            process.send(SIGTERM)
        }
        #expect(end == .exited(0), "\(log)")
        #expect(log.contains("\"message\":\"stopped\""))
    }

    @Test("ends with code 78 when it can not have its address")
    func noAddress() async throws {
        let (end, log) = try await Self.run(
            "aragora-ws-gateway", ["ARAGORA_POSTGRES_DSN": Self.noPostgres, "ARAGORA_BIND_ADDRESS": "203.0.113.1"])
        #expect(end == .exited(78), "\(log)")
    }

    @Test("keeps its number in a file while it lives, and refuses one that a living process holds", arguments: services)
    func pidFile(service: String) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "startup-\(UUID().uuidString).pid").path
        let settings = ["ARAGORA_POSTGRES_DSN": Self.noPostgres, "ARAGORA_PID_FILE": path]
        let first = try await Self.run(service, settings) { process in
            while (try? String(contentsOfFile: path, encoding: .utf8)) != "\(process.pid)\n" { await Task.yield() }
            let second = try await Self.run(service, settings)
            #expect(second.end == .exited(78))
            #expect(second.log.contains("the pid file: \(path): process \(process.pid) holds it and runs"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(process.pid)\n")
            process.send(SIGKILL)
        }
        #expect(first.end == .signalled(SIGKILL))
        let third = try await Self.run(service, settings) { process in
            while (try? String(contentsOfFile: path, encoding: .utf8)) != "\(process.pid)\n" { await Task.yield() }
            process.send(SIGTERM)
        }
        #expect(third.end == .exited(0), "\(third.log)")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("is not ended by any number of SIGHUP, at no time", arguments: services)
    func hangUp(service: String) async throws {
        let settings = ["ARAGORA_POSTGRES_DSN": Self.noPostgres]
        let (end, log) = try await Self.run(service, settings) { process in
            while (try? String(contentsOfFile: process.logPath, encoding: .utf8))?.contains("starting") != true {
                await Task.yield()
            }
            while try String(contentsOfFile: process.logPath, encoding: .utf8).components(
                separatedBy: "settings reloaded"
            ).count < 20 {
                try #require(process.isAlive)
                process.send(SIGHUP)
                await Task.yield()
            }
            process.send(SIGTERM)
        }
        #expect(end == .exited(0), "\(log)")
        #expect(log.contains("nothing changed"))
    }

    @Test("answers --help and --version, and refuses what it does not know", arguments: services)
    func arguments(service: String) async throws {
        #expect(try await Self.run(service, [:], arguments: ["--help"]).log.contains("ARAGORA_POSTGRES_DSN"))
        #expect(try await Self.run(service, [:], arguments: ["--version"]).end == .exited(0))
        let (end, log) = try await Self.run(service, [:], arguments: ["--what"])
        #expect(end == .exited(64) && log.contains("unknown argument"))
    }
}
