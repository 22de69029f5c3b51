import Foundation
import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@testable import ServiceKit

/// `--healthcheck`, as an image, compose or systemd runs it.
@Suite("A health check", .timeLimit(.minutes(2)))
struct HealthCommandTests {
    static let services = ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup"]

    static func check(
        _ service: String, _ environment: [String: String]
    ) async throws -> (end: ServiceProcess.End, line: String) {
        let run = try await StartupTests.run(service, environment, arguments: ["--healthcheck"])
        return (run.end, run.log)
    }

    @Test("says that nobody answers, with one line and code 1, and needs no other setting", arguments: services)
    func nobody(service: String) async throws {
        let port = FreePort.pick()
        let (end, line) = try await Self.check(service, ["ARAGORA_METRICS_PORT": "\(port)"])
        #expect(end == .exited(1))
        #expect(line.hasPrefix("\(service): no answer on port \(port): connect 127.0.0.1:\(port)"), "\(line)")
        #expect(line.split(separator: "\n").count == 1)
    }

    @Test("says why a process that runs is not ready")
    func waiting() async throws {
        let port = FreePort.pick()
        let settings = [
            "ARAGORA_POSTGRES_DSN": StartupTests.noPostgres, "ARAGORA_METRICS_PORT": "\(port)",
            "ARAGORA_BIND_ADDRESS": "127.0.0.3",
        ]
        _ = try await StartupTests.run("aragora-ws-gateway", settings) { process in
            while (try? String(contentsOfFile: process.logPath, encoding: .utf8))?.contains("health server listening")
                != true
            { await Task.yield() }
            let (end, line) = try await Self.check("aragora-ws-gateway", settings)
            #expect(end == .exited(1))
            #expect(line.hasPrefix("aragora-ws-gateway: not ready: database: "), "\(line)")
            process.send(SIGTERM)
        }
    }

    @Test("takes the answer as /readyz means it")
    func answers() async throws {
        let table: [(status: Int, body: String, isReady: Bool, line: String)] = [
            (200, #"{"status":"ready","degraded":[]}"#, true, "ready"),
            (200, #"{"status":"ready","degraded":["redis"]}"#, true, "ready without redis"),
            (503, #"{"status":"not_ready","reason":"draining","degraded":[]}"#, false, "not ready: draining"),
            (503, #"{"status":"ready","degraded":[]}"#, false, "not ready: HTTP status 503"),
            (200, "<html>", false, "not ready: HTTP status 200"),
        ]
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        for expected in table {
            let text = "HTTP/1.1 \(expected.status) X\r\nContent-Length: \(expected.body.utf8.count)\r\n\r\n"
            let server = try ScriptedServer(loop: loop) { _ in [.send(text + expected.body), .close] }
            let (isReady, line) = await HealthCommand.answer(bindAddress: "0.0.0.0", port: server.port)
            #expect(isReady == expected.isReady)
            #expect(line == expected.line)
            #expect(server.requests.map(\.head).allSatisfy { $0.hasPrefix("GET /readyz HTTP/1.1\r\n") })
        }
    }

    @Test("gives up on what accepts and does not answer, and on what is no HTTP server")
    func silence() async throws {
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        let silent = try ScriptedServer(loop: loop) { _ in [.wait] }
        let (isReady, line) = await HealthCommand.answer(bindAddress: "127.0.0.1", port: silent.port)
        #expect(!isReady)
        #expect(line == "no answer on port \(silent.port): no answer within 3.0 seconds")
        let other = try ScriptedServer(loop: loop) { _ in [.send("SSH-2.0-x\r\n"), .close] }
        let (isOtherReady, otherLine) = await HealthCommand.answer(bindAddress: "127.0.0.1", port: other.port)
        #expect(!isOtherReady)
        #expect(otherLine == "no answer on port \(other.port): not an HTTP answer")
    }

    @Test("asks where the process listens")
    func addresses() {
        let table: [(bind: String, hosts: [String])] = [
            ("0.0.0.0", ["127.0.0.1"]), ("::", ["::1", "127.0.0.1"]), ("10.1.2.3", ["10.1.2.3"]), ("localhost", []),
        ]
        for (bind, hosts) in table {
            #expect(HealthCommand.addresses(bind, 9090).map(\.host) == hosts)
        }
    }

    @Test("is content with a gateway that serves", .needsPostgres)
    func ready() async throws {
        try await DebateDatabase.with { pool in
            let schema = try #require(pool.configuration.sessionParameters["search_path"])
            let url = try #require(TestSupport.Backends.postgresURL)
            let port = FreePort.pick()
            let settings = [
                "ARAGORA_POSTGRES_DSN": url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)",
                "ARAGORA_METRICS_PORT": "\(port)",
            ]
            let run = try await StartupTests.run("aragora-ws-gateway", settings) { process in
                while (try? String(contentsOfFile: process.logPath, encoding: .utf8))?.contains("\"ready\"") != true {
                    guard process.isAlive else { return }
                    await Task.yield()
                }
                let (end, line) = try await Self.check("aragora-ws-gateway", settings)
                #expect(end == .exited(0), "\(line)")
                #expect(line == "aragora-ws-gateway: ready\n")
                process.send(SIGTERM)
            }
            #expect(run.end == .exited(0), "\(run.log)")
        }
    }
}
