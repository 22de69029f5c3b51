import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import TestSupport
import Testing

@Suite("The command line beside faults", .needsPostgres, .needsRedis)
struct OperatorTests {
    @Test("`aragora ask` shows a decision although gateway, worker and api die under it")
    func ask() async throws {
        try await Stack.with("ask", .init(latencyMilliseconds: 150)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1), .worker(2))
            let ask = try stack.tool(["ask", "--json", "--rounds", "3", "Postgres or MongoDB?"], name: "ask")
            let debate = try await stack.onlyDebate()
            for (events, member) in [(4, Stack.Member.gateway(1)), (9, .worker(1)), (14, .api(1))] {
                try await stack.awaitEvents(Int64(events), of: debate)
                try await stack.kill(member)
                try await stack.start(member)
            }
            let end = try await stack.end(of: ask)
            stack.check(end == .exited(0), "aragora ask ended with \(end): \(stack.output(of: ask))")
            stack.check(stack.output(of: ask).contains(debate.text), "there is no receipt: \(stack.output(of: ask))")
            try await stack.audit(debate, takeovers: 1)
        }
    }

    @Test("`aragora db verify` finds every log whole after a takeover, and a changed event")
    func verify() async throws {
        try await Stack.with("db-verify") { stack in
            try await stack.start(.api(1), .gateway(1))
            let fault = Fault(point: .afterAnswerBeforeOutcome, nth: 5, kind: .killed)
            try await stack.start([.worker(1)], with: fault.environment)
            let debate = try await stack.create()
            try await stack.awaitFault(.worker(1), fault)
            try await stack.start(.worker(2))
            try await stack.audit(debate, takeovers: 1)
            let whole = try stack.tool(["db", "verify"], name: "verify-whole")
            let end = try await stack.end(of: whole)
            stack.check(end == .exited(0), "db verify ended with \(end): \(stack.output(of: whole))")
            _ = try await stack.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER USER")
            _ = try await stack.pool.execute("UPDATE debate_events SET agent = 'nobody' WHERE seq = 4")
            let broken = try stack.tool(["db", "verify"], name: "verify-broken")
            let brokenEnd = try await stack.end(of: broken)
            stack.check(
                brokenEnd == .exited(1),
                "db verify of a changed log ended with \(brokenEnd): \(stack.output(of: broken))")
        }
    }
}

extension Stack {
    /// Starts `aragora` with these arguments as an operator of this stack would.
    func tool(
        _ arguments: [String], name: String, with environment: [String: String] = [:]
    ) throws -> ServiceProcess {
        try ServiceProcess(
            name: name, binary: "\(StackFolder.binaries)/aragora", arguments: arguments,
            environment: [
                "ARAGORA_BASE_URL": "http://127.0.0.1:\(ports(of: .api(1)).main)",
                "ARAGORA_WS_URL": "ws://127.0.0.1:\(ports(of: .gateway(1)).main)/ws", "ARAGORA_API_TOKEN": Self.token,
                "ARAGORA_POSTGRES_DSN": database.dsn, "ARAGORA_RECEIPT_SIGNING_KEY": Self.signingKey,
            ].merging(environment) { $1 }, logPath: "\(folder)/\(name).log")
    }

    func output(of tool: ServiceProcess) -> String { StackFolder.read(tool.logPath) }

    /// Waits for the end of a command.
    func end(of tool: ServiceProcess) async throws -> ServiceProcess.End {
        try await eventually("\(tool.name) ends") { !tool.isAlive }
        return try await tool.waitForEnd()
    }

    /// The debate that somebody else creates.
    func onlyDebate() async throws -> DebateID {
        var found: DebateID?
        try await eventually("a debate is created") {
            found = try await self.pool.query("SELECT id FROM debates").first.flatMap { DebateID(try $0.text("id")) }
            return found != nil
        }
        guard let found else { throw Late(description: "no debate") }
        return found
    }
}
