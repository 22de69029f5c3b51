import Contracts
import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import TestSupport
import Testing

@Suite("Cancel, pause, resume, remark, drain", .needsPostgres, .needsRedis)
struct CommandTests {
    @Test("a debate that nobody runs is cancelled, once")
    func cancelBeforeStart() async throws {
        try await Stack.with("cancel-early") { stack in
            try await stack.start(.api(1), .gateway(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            let answer = try await stack.act("cancel", on: debate)
            stack.check(
                answer.status == 200 && answer.body["status"]?.string == "cancelled", "cancel answers \(answer.text)")
            let again = try await stack.act("cancel", on: debate)
            stack.check(again.status == 400, "the second cancel answers \(again.status)")
            try await stack.start(.worker(1))
            try await stack.audit(debate, viewers: viewers, ends: [.cancelled])
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, takeovers: 0)
        }
    }

    @Test("a debate that is running is cancelled, and its worker goes on with others")
    func cancelWhileRunning() async throws {
        try await Stack.with("cancel-running", .init(latencyMilliseconds: 200)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(5, of: debate)
            let answer = try await stack.act("cancel", on: debate)
            stack.check(answer.status == 200, "cancel answers \(answer.status) \(answer.text)")
            try await stack.audit(debate, viewers: viewers, ends: [.cancelled])
            let next = try await stack.create(Stack.Asked(rounds: 1))
            try await stack.audit(next, viewers: [stack.watch(next)], takeovers: 0)
        }
    }

    @Test("a cancel that races the finish has one winner, and the answer names it")
    func cancelRacingTheEnd() async throws {
        let tries = 12 * Fault.repetitions
        try await Stack.with("cancel-race", .init(latencyMilliseconds: 0)) { stack in
            try await stack.start([.api(1), .gateway(1), .worker(1)], with: ["WORKER_CONCURRENCY": "8"])
            let measured = try await stack.create()
            let length = try await stack.awaitEnd(measured).tail.seq
            var ends = Set<DebateStatus>()
            for number in 0..<tries {
                let debate = try await stack.create()
                let viewer = stack.watch(debate)
                // From the middle of the last round to the last append.
                try await stack.awaitEvents(max(1, length - 1 - Int64(number % 12)), of: debate)
                let answer = try await stack.act("cancel", on: debate)
                try await stack.audit(debate, viewers: [viewer], ends: [.completed, .cancelled])
                let status = try await stack.run(of: debate).status
                ends.insert(status)
                let expected = status == .cancelled ? 200 : 400
                stack.check(answer.status == expected, "cancel answers \(answer.status), the debate is \(status)")
            }
        }
    }

    @Test("pause, remark and resume reach a debate that is running")
    func pauseRunning() async throws {
        try await Stack.with("pause-running", .init(latencyMilliseconds: 150)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create()
            let viewer = stack.watch(debate)
            try await stack.awaitEvents(4, of: debate)
            let pause = try await stack.act("pause", on: debate)
            stack.check([200, 202].contains(pause.status), "pause answers \(pause.status) \(pause.text)")
            try await stack.awaitRun(debate, "is paused") { $0.status == .paused }
            let remark = try await stack.remark("Think of backups.", on: debate)
            stack.check([200, 202].contains(remark.status), "remark answers \(remark.status) \(remark.text)")
            let resume = try await stack.act("resume", on: debate)
            stack.check([200, 202].contains(resume.status), "resume answers \(resume.status) \(resume.text)")
            try await stack.audit(debate, viewers: [viewer], takeovers: 1)
            for type in ["debate_paused", "user_message", "debate_resumed"] {
                stack.check(viewer.types.count { $0 == type } == 1, "not one \(type): \(viewer.types)")
            }
        }
    }

    @Test("pause, remark and resume are events at once where nobody runs the debate")
    func pauseQueued() async throws {
        try await Stack.with("pause-queued") { stack in
            try await stack.start(.api(1), .gateway(1))
            let debate = try await stack.create()
            let viewer = stack.watch(debate)
            let pause = try await stack.act("pause", on: debate)
            stack.check(pause.status == 200 && pause.body["status"]?.string == "paused", "pause answers \(pause.text)")
            try await stack.start(.worker(1))
            _ = try await stack.remark("Think of backups.", on: debate)
            stack.check(try await stack.run(of: debate).status == .paused, "a worker claimed a paused debate")
            let resume = try await stack.act("resume", on: debate)
            stack.check(resume.status == 200, "resume answers \(resume.status) \(resume.text)")
            try await stack.audit(debate, viewers: [viewer])
            stack.check(
                viewer.types.filter { ["debate_paused", "user_message", "debate_resumed"].contains($0) }
                    == ["debate_paused", "user_message", "debate_resumed"], "commands came as \(viewer.types)")
        }
    }

    @Test(
        "a worker that is told to stop hands its debates over, and leaves no call unknown",
        arguments: 1...(3 * Fault.repetitions))
    func drain(_ repetition: Int) async throws {
        // Short calls make it likely that the signal comes between intents and requests, long ones between answers.
        try await Stack.with("drain-\(repetition)", .init(latencyMilliseconds: repetition.isMultiple(of: 3) ? 100 : 12))
        { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            var debates: [DebateID] = []
            for _ in 0..<3 { debates.append(try await stack.create(Stack.Asked(rounds: 3))) }
            let viewers = debates.map { stack.watch($0) }
            for debate in debates { try await stack.awaitEvents(4, of: debate) }
            try await stack.start(.worker(2))
            try stack.process(.worker(1)).send(SIGTERM)
            let end = try await stack.ended(.worker(1))
            stack.check(end == .exited(0), "the drained worker ended with \(end)")
            for (debate, viewer) in zip(debates, viewers) {
                try await stack.audit(debate, viewers: [viewer], takeovers: 1)
                let unknown = try await stack.pool.query(
                    "SELECT count(*) AS n FROM agent_calls WHERE debate_id = \(debate.text) AND state = 'unknown'")
                stack.check(try unknown[0].int("n") == 0, "the drain left calls unknown")
            }
        }
    }

    @Test("a worker that is told to stop twice gives up its calls, and another one makes them")
    func drainNow() async throws {
        try await Stack.with("drain-now", .init(latencyMilliseconds: 3000)) { stack in
            try await stack.start(.api(1), .gateway(1), .worker(1))
            let debate = try await stack.create(Stack.Asked(rounds: 1))
            let viewer = stack.watch(debate)
            try await stack.eventually("calls are in flight") {
                try await stack.pool.query("SELECT count(*) AS n FROM agent_calls WHERE state = 'intent'")[0].int("n")
                    > 0
            }
            try stack.process(.worker(1)).send(SIGTERM)
            try await stack.eventually("it drains") { try await stack.probe(.worker(1), "/readyz") != 200 }
            try stack.process(.worker(1)).send(SIGTERM)
            let end = try await stack.ended(.worker(1))
            stack.check(end == .exited(0), "the stopped worker ended with \(end)")
            try await stack.start([.worker(2)], with: ["ARAGORA_DEMO_LATENCY_MS": "20"])
            try await stack.audit(debate, viewers: [viewer], takeovers: 1)
            let unknown = try await stack.pool.query("SELECT count(*) AS n FROM agent_calls WHERE state = 'unknown'")
            stack.check(try unknown[0].int("n") == 3, "the calls it gave up are not unknown")
        }
    }
}
