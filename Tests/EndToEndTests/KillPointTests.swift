import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import TestSupport
import Testing

/// A process that dies or freezes at a named line of a write path.
struct Fault: Sendable, CustomTestStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        case killed = "KILL"
        case frozen = "STOP"
    }

    let point: KillPoint
    var nth = 1
    let kind: Kind
    var repetition = 1

    var environment: [String: String] {
        ["ARAGORA_KILL_POINT": "\(point.rawValue):\(nth)", "ARAGORA_KILL_POINT_SIGNAL": kind.rawValue]
    }
    var testDescription: String { "\(kind) at \(point.rawValue):\(nth), repetition \(repetition)" }

    /// 1 in `make test`, 20 at night.
    static let repetitions = environmentNumber("FAULT_REPETITIONS", default: 1)

    /// Each of `points` (with its occurrence), killed and frozen, as often as asked for.
    static func all(_ points: [(KillPoint, Int)], _ kinds: [Kind] = Kind.allCases) -> [Fault] {
        points.flatMap { point, nth in
            kinds.flatMap { kind in (1...repetitions).map { Fault(point: point, nth: nth, kind: kind, repetition: $0) }
            }
        }
    }
}

@Suite("Faults at every kill point", .needsPostgres, .needsRedis)
struct KillPointTests {}

extension KillPointTests {
    @Suite("of a worker")
    struct Workers {
        static let points: [(KillPoint, Int)] = [
            (.afterClaim, 1), (.afterClaimSettled, 1), (.beforeFirstPublish, 1), (.afterIntent, 1), (.afterIntent, 3),
            (.afterAnswerBeforeOutcome, 1), (.afterAnswerBeforeOutcome, 5), (.afterCommitBeforePublish, 1),
            (.afterCommitBeforePublish, 4), (.insideTheEnd, 1), (.afterTheEnd, 1),
        ]

        @Test("another worker finishes, and nothing is lost, doubled or paid twice", arguments: Fault.all(points))
        func takeover(_ fault: Fault) async throws {
            try await Stack.with("worker-\(fault.kind)-\(fault.point.rawValue)-\(fault.nth)") { stack in
                try await stack.start(.api(1), .gateway(1))
                try await stack.start([.worker(1)], with: fault.environment)
                let debate = try await stack.create()
                let viewers = stack.watchEverywhere(debate)
                try await stack.awaitClaim(debate)
                try stack.spawn(.worker(2))
                try await stack.awaitFault(.worker(1), fault)
                try await stack.ready(.worker(2))
                if fault.kind == .frozen { try await stack.thaw(.worker(1), afterTakeoverOf: debate) }
                try await stack.audit(debate, viewers: viewers, takeovers: 1)
                try await stack.checkAlive(.worker(2), .gateway(1), .api(1))
                if fault.kind == .frozen { try await stack.checkUsable(.worker(1), without: .worker(2)) }
            }
        }

        static let adopters: [(KillPoint, Int)] = [
            (.afterClaim, 1), (.afterClaimSettled, 1), (.beforeFirstPublish, 1), (.afterIntent, 1),
            (.afterAnswerBeforeOutcome, 2), (.afterCommitBeforePublish, 1), (.insideTheEnd, 1),
        ]

        @Test("an adopter may fail too, and a third worker finishes", arguments: Fault.all(adopters, [.killed]))
        func adopter(_ fault: Fault) async throws {
            try await Stack.with("adopter-\(fault.point.rawValue)") { stack in
                try await stack.start(.api(1), .gateway(1))
                let first = Fault(point: .afterAnswerBeforeOutcome, nth: 4, kind: .killed)
                try await stack.start([.worker(1)], with: first.environment)
                let debate = try await stack.create()
                let viewers = stack.watchEverywhere(debate)
                try await stack.awaitFault(.worker(1), first)
                try stack.spawn(.worker(2), fault.environment)
                try await stack.awaitFault(.worker(2), fault)
                try await stack.start(.worker(3))
                try await stack.audit(debate, viewers: viewers, takeovers: 2)
            }
        }

        @Test("a drain that is cut short leaves the rest to others", arguments: Fault.all([(.duringRelease, 1)]))
        func release(_ fault: Fault) async throws {
            try await Stack.with("drain-\(fault.kind)", .init(latencyMilliseconds: 120)) { stack in
                try await stack.start(.api(1), .gateway(1))
                try await stack.start([.worker(1)], with: fault.environment)
                let debates = [try await stack.create(), try await stack.create(), try await stack.create()]
                let viewers = debates.map { stack.watch($0) }
                for debate in debates { try await stack.awaitClaim(debate) }
                try stack.process(.worker(1)).send(SIGTERM)
                try await stack.awaitFault(.worker(1), fault)
                try await stack.start(.worker(2))
                if fault.kind == .frozen { try await stack.thaw(.worker(1), afterTakeoverOf: nil) }
                for (debate, viewer) in zip(debates, viewers) {
                    try await stack.audit(debate, viewers: [viewer], takeovers: 1)
                }
                if fault.kind == .frozen {
                    let end = try await stack.ended(.worker(1))
                    stack.check(end == .exited(0), "the thawed worker ended with \(end)")
                }
            }
        }
    }

    /// The client of a frozen api gives up waiting and goes to another one.
    @Suite("of the api")
    struct APIs {
        @Test(
            "a create whose answer was lost is one debate when it is tried again",
            arguments: Fault.all([(.afterCreateCommit, 1)]))
        func create(_ fault: Fault) async throws {
            try await Stack.with("create-\(fault.kind)") { stack in
                try await stack.start(.gateway(1), .worker(1))
                try await stack.start([.api(1)], with: fault.environment)
                let asked = Stack.Asked(key: "create-once")
                let lost = try? await stack.ask(asked, within: .seconds(2))
                stack.check(lost == nil, "the api answered although it was to fail")
                let next = try await stack.replaceAPI(after: fault)
                let debate = try await stack.createPersistently(asked, to: next)
                let viewers = [stack.watch(debate), stack.watch(debate, through: next)]
                try await stack.audit(debate, viewers: viewers, takeovers: 0, asking: next)
                let count = try await stack.pool.query("SELECT count(*) AS n FROM debates")[0].int("n")
                stack.check(count == 1, "there are \(count) debates")
                try await stack.thawAPI(after: fault)
            }
        }

        @Test("a command whose answer was lost is applied once", arguments: Fault.all([(.afterCommandStored, 1)]))
        func command(_ fault: Fault) async throws {
            try await Stack.with("command-\(fault.kind)", .init(latencyMilliseconds: 300)) { stack in
                try await stack.start(.gateway(1), .worker(1))
                try await stack.start([.api(1)], with: fault.environment)
                let debate = try await stack.create()
                let viewer = stack.watch(debate)
                try await stack.awaitRun(debate, "runs") { $0.status == .running && $0.tail.seq > 2 }
                _ = try? await stack.remark("Think of backups.", on: debate, within: .seconds(1))
                let next = try await stack.replaceAPI(after: fault)
                try await stack.audit(debate, viewers: [viewer], takeovers: 0, asking: next)
                stack.check(viewer.types.count { $0 == "user_message" } == 1, "not one user_message: \(viewer.types)")
                try await stack.thawAPI(after: fault)
            }
        }

        @Test(
            "a cancel whose answer was lost has ended the debate once", arguments: Fault.all([(.afterCancelCommit, 1)]))
        func cancel(_ fault: Fault) async throws {
            try await Stack.with("cancel-\(fault.kind)", .init(latencyMilliseconds: 200)) { stack in
                try await stack.start(.gateway(1), .worker(1))
                try await stack.start([.api(1)], with: fault.environment)
                let debate = try await stack.create()
                let viewer = stack.watch(debate)
                try await stack.awaitEvents(4, of: debate)
                _ = try? await stack.act("cancel", on: debate, within: .seconds(1))
                let next = try await stack.replaceAPI(after: fault)
                let again = try await stack.act("cancel", on: debate, to: next)
                stack.check(again.status == 400, "the second cancel answers \(again.status) \(again.text)")
                try await stack.audit(debate, viewers: [viewer], ends: [.cancelled], asking: next)
                try await stack.checkAlive(.worker(1))
                try await stack.thawAPI(after: fault)
            }
        }

        @Test(
            "a cancel that fails in its transaction leaves the debate to its worker",
            arguments: Fault.all([(.insideTheEnd, 1)]))
        func cancelRolledBack(_ fault: Fault) async throws {
            try await Stack.with("cancel-rolled-back-\(fault.kind)", .init(latencyMilliseconds: 200)) { stack in
                try await stack.start(.gateway(1), .worker(1))
                try await stack.start([.api(1)], with: fault.environment)
                let debate = try await stack.create()
                let viewer = stack.watch(debate)
                try await stack.awaitEvents(4, of: debate)
                _ = try? await stack.act("cancel", on: debate, within: .milliseconds(200))
                let next = try await stack.replaceAPI(after: fault)
                try await stack.audit(debate, viewers: [viewer], takeovers: 0, asking: next)
                try await stack.thawAPI(after: fault)
                let status = try await stack.run(of: debate).status
                stack.check(status == .completed, "the thawed api made the debate \(status)")
            }
        }
    }

    @Suite("and a person who cancels")
    struct Cancels {
        @Test(
            "a debate whose worker is frozen is cancelled at once, and stays so when it thaws",
            arguments: Fault.all([(.afterClaimSettled, 1), (.afterIntent, 2), (.insideTheEnd, 1)], [.frozen]))
        func frozen(_ fault: Fault) async throws {
            try await Stack.with("cancel-frozen-\(fault.point.rawValue)") { stack in
                try await stack.start(.api(1), .gateway(1))
                try await stack.start([.worker(1)], with: fault.environment)
                let debate = try await stack.create()
                let viewers = stack.watchEverywhere(debate)
                try await stack.awaitFault(.worker(1), fault)
                let answer = try await stack.act("cancel", on: debate)
                stack.check(answer.status == 200, "cancel answers \(answer.status) \(answer.text)")
                try await stack.audit(debate, viewers: viewers, ends: [.cancelled])
                try stack.process(.worker(1)).send(SIGCONT)
                let next = try await stack.create(Stack.Asked(rounds: 1))
                try await stack.audit(next)
                try await stack.audit(debate, viewers: viewers, ends: [.cancelled])
            }
        }
    }
}

extension Stack {
    /// An api that clients can go on with: the dead one started again, or another one beside the frozen one.
    func replaceAPI(after fault: Fault) async throws -> Member {
        try await awaitFault(.api(1), fault)
        let next = fault.kind == .killed ? Member.api(1) : .api(2)
        try await start(next)
        return next
    }

    /// A frozen api serves again when it goes on.
    func thawAPI(after fault: Fault) async throws {
        guard fault.kind == .frozen else { return }
        try process(.api(1)).send(SIGCONT)
        try await ready(.api(1))
        let answer = try await get("/api/v1/debates")
        check(answer.status == 200, "the thawed api answers \(answer.status)")
    }
}

extension Stack {
    /// Waits until a process has come to its kill point.
    func awaitFault(_ member: Member, _ fault: Fault) async throws {
        let process = try process(member)
        switch fault.kind {
        case .killed:
            let end = try await ended(member)
            check(end == .signalled(SIGKILL), "\(member) ended with \(end) instead of at \(fault.point.rawValue)")
        case .frozen:
            try await eventually("\(member) freezes at \(fault.point.rawValue)") {
                guard process.isAlive else { throw Late(description: "\(member) ended before \(fault.point.rawValue)") }
                return process.isStopped
            }
        }
    }

    /// Lets a frozen process go on once somebody else has its debate, or its lease is long over.
    func thaw(_ member: Member, afterTakeoverOf debate: DebateID?) async throws {
        if let debate {
            let epoch = try await run(of: debate).epoch
            try await awaitRun(debate, "is taken over") { $0.epoch > epoch || $0.status.isTerminal }
        } else {
            try await eventually("the lease of \(member) is over") {
                try await self.pool.query("SELECT count(*) AS n FROM runners WHERE expires_at < now()")[0].int("n") > 0
            }
        }
        try process(member).send(SIGCONT)
    }

    /// A worker that was frozen runs the next debate.
    func checkUsable(_ member: Member, without other: Member) async throws {
        try await kill(other)
        let debate = try await create(Asked(rounds: 1))
        try await audit(debate)
        try await checkAlive(member)
    }
}
