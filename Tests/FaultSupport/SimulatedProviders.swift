package import Contracts
package import Domain
import Glibc
import HTTPClient
import Platform
import PostgresClient
import TestSupport

/// The simulator of two providers as a process of its own, and what its ledger says.
package final class SimulatedProviders: Sendable {
    private let port = StackPorts.take()
    private let folder: String
    private let process = Lock<ServiceProcess?>(nil)

    package init() throws { folder = try StackFolder.make("providers-\(UInt64.random(in: .min ... .max))") }

    /// What the services need in order to call it.
    package var environment: [String: String] {
        [
            "ANTHROPIC_API_KEY": "key", "ANTHROPIC_BASE_URL": "http://127.0.0.1:\(port)",
            "OPENAI_API_KEY": "key", "OPENAI_BASE_URL": "http://127.0.0.1:\(port)/v1",
        ]
    }

    /// Three agents on the two providers.
    package static let agents: [JSONValue] = ["anthropic", "openai", "anthropic|claude-haiku|careful|critic"]

    /// - Parameter scenario: as `provider-simulator --help` describes it.
    package func start(_ stack: Stack, scenario: String) async throws {
        let simulator = try ServiceProcess(
            name: "simulator", binary: "\(StackFolder.binaries)/provider-simulator", arguments: ["--port", "\(port)"],
            environment: [:], logPath: "\(folder)/simulator.log")
        process.withLock { $0 = simulator }
        try await play(scenario, stack)
    }

    /// From now on it behaves like this.
    package func play(_ scenario: String, _ stack: Stack) async throws {
        try await stack.eventually("the simulator takes its scenario") {
            let request = HTTPClientRequest(
                method: "PUT", url: "http://127.0.0.1:\(self.port)/scenario", body: Array(scenario.utf8))
            return try await stack.http.send(request).status < 300
        }
    }

    package func send(_ signal: Int32) { process.withLock { $0 }?.send(signal) }

    /// The last thing; the process is reaped when its object goes.
    package func stop() {
        process.withLock {
            $0?.send(SIGKILL)
            $0 = nil
        }
        StackFolder.remove(folder)
    }

    /// How often each key was sent: per attempt, and per call.
    package func ledger(_ stack: Stack) async throws -> (attempts: [String: Int], calls: [String: Int]) {
        let reply = try await stack.http.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)/ledger"))
        let json = try JSONParser.parse(reply.body, maximumBytes: 64 << 20)
        func counts(_ name: String) -> [String: Int] {
            var counts: [String: Int] = [:]
            for member in json[name]?.object?.members ?? [] {
                counts[member.key] = member.value["sent"]?.int.map(Int.init)
            }
            return counts
        }
        return (counts("keys"), counts("call_keys"))
    }

    /// What was sent is what was intended, each attempt once; and no call more often than its holders changed, but for
    /// the retries of failures.
    package func audit(_ debate: DebateID, _ stack: Stack, takeovers: Int, retries: Int = 0) async throws {
        let (attempts, calls) = try await ledger(stack)
        stack.check(!calls.isEmpty, "the simulator was never called")
        for (key, count) in attempts where count > 1 { stack.note("attempt \(key) was sent \(count) times") }
        for (key, count) in calls where count > 1 + takeovers + retries { stack.note("\(key) was sent \(count) times") }
        let rows = try await stack.pool.query(
            "SELECT call_key, attempt, state FROM agent_calls WHERE debate_id = \(debate.text)")
        var intended = Set<String>()
        for row in rows {
            let call = "\(debate):\(try row.text("call_key"))"
            let attempt = "\(call):\(try row.int("attempt"))"
            intended.insert(attempt)
            let wasSent = attempts[attempt] != nil
            stack.check(try wasSent || row.text("state") != "answered", "\(attempt) is answered and was never sent")
        }
        for key in attempts.keys where !intended.contains(key) { stack.note("\(key) was sent without an intent") }
    }
}
