import Domain
import FaultSupport
import Glibc
import Platform
import Sockets
import TestSupport
import Testing

/// Everything at once: what no single fault shows, their meetings may.
@Suite("A storm of faults", .needsPostgres, .needsRedis)
struct StormTests {
    private enum Blow: CaseIterable {
        case killWorker, freezeWorker, drainWorker, killGateway, killAPI, flushRedis, endSessions, create, cancel, pause
    }

    private static let workers = 1...3
    private static let blows = 14

    @Test("every debate of many ends once, and whole", arguments: 1...(2 * Fault.repetitions))
    func storm(_ repetition: Int) async throws {
        let environment = ["WORKER_MAX_ATTEMPTS": "100", "WORKER_DRAIN_SECONDS": "5"]
        try await Stack.with("storm-\(repetition)", .init(environment: environment, latencyMilliseconds: 50)) { stack in
            try await stack.start([.api(1), .gateway(1)] + Self.workers.map { .worker($0) })
            var watched: [(debate: DebateID, viewers: [Viewer])] = []
            for _ in 0..<4 { watched.append(try await create(stack)) }
            for _ in 0..<Self.blows {
                try await stack.loop.sleep(for: .milliseconds(.random(in: 0...250)))
                let blow = Blow.allCases.randomElement() ?? .create
                if blow == .create {
                    watched.append(try await create(stack))
                } else {
                    try await strike(blow, watched.map(\.debate), stack)
                }
            }
            try await calm(watched.map(\.debate), stack)
            for (debate, viewers) in watched {
                try await stack.audit(debate, viewers: viewers, ends: [.completed, .cancelled])
            }
        }
    }

    private func create(_ stack: Stack) async throws -> (debate: DebateID, viewers: [Viewer]) {
        let key = "storm-\(UInt64.random(in: .min ... .max))"
        let debate = try await stack.createPersistently(Stack.Asked(key: key))
        return (debate, stack.watchEverywhere(debate))
    }

    private func strike(_ blow: Blow, _ debates: [DebateID], _ stack: Stack) async throws {
        let worker = Stack.Member.worker(.random(in: Self.workers))
        guard let debate = debates.randomElement() else { return }
        switch blow {
        case .killWorker: try await replace(worker, stack)
        case .killGateway: try await replace(.gateway(1), stack)
        case .killAPI: try await replace(.api(1), stack)
        case .freezeWorker: try stack.process(worker).send(Bool.random() ? SIGSTOP : SIGCONT)
        case .drainWorker:
            try stack.process(worker).send(SIGTERM)
            try stack.process(worker).send(SIGCONT)
            _ = try await stack.ended(worker)
            try await stack.start(worker)
        case .flushRedis: try await stack.withRedis { try await TestRedis.deleteAll($0, stack.redisPrefix) }
        case .endSessions: try await stack.database.endSessions(on: stack.loop)
        case .cancel: _ = try? await stack.act("cancel", on: debate)
        case .pause: _ = try? await stack.act("pause", on: debate)
        case .create: break
        }
    }

    private func replace(_ member: Stack.Member, _ stack: Stack) async throws {
        try await stack.kill(member)
        try await stack.start(member)
    }

    /// Thaws who is frozen, and resumes what is paused until everything has ended.
    private func calm(_ debates: [DebateID], _ stack: Stack) async throws {
        for worker in Self.workers { try stack.process(.worker(worker)).send(SIGCONT) }
        for debate in debates {
            try await stack.eventually("\(debate) ends after the storm") {
                let status = try await stack.run(of: debate).status
                if status == .paused { _ = try? await stack.act("resume", on: debate) }
                return status.isTerminal
            }
        }
    }
}
