import Domain
import FaultSupport
import TestSupport
import Testing

@testable import aragora_chaos

/// What can be said of `make chaos` without running it.
@Suite("The plan and the times of a chaos run")
struct ChaosPlanTests {
    private func plan(_ seed: UInt64, without: Set<ChaosFault.Kind> = []) -> ChaosPlan {
        ChaosPlan(seed: seed, seconds: 300, faults: 1000, debates: 100, without: without)
    }

    @Test("a plan is a function of its seed, and has what was asked for")
    func pure() {
        #expect(plan(7).description == plan(7).description)
        #expect(plan(7).digest != plan(8).digest)
        // Goes wrong when the way to draw changes: then recorded seeds mean something else.
        #expect(plan(7).digest == "62a4068c54386b65")
        let faults = plan(7).faults
        #expect(faults.count == 1000 && Set(faults.map(\.number)).count == 1000)
        #expect(Set(faults.map(\.kind)) == Set(ChaosFault.Kind.allCases))
        #expect(zip(faults, faults.dropFirst()).allSatisfy { $0.at <= $1.at })
        #expect(faults.contains { $0.isRolling })
        for fault in faults { #expect((fault.kind.target == .process) == (fault.member != nil)) }
        #expect(plan(7).clients.count == 100)
    }

    @Test("a rolling restart has every process once, the backup service a second time while it makes a backup")
    func rolling() {
        let plan = ChaosPlan(seed: 7, seconds: 100, faults: 0, debates: 1, without: [], rolling: 2)
        #expect(Set(plan.members) == Set(ChaosPlan.members + [.backup]))
        let round = plan.faults.prefix(plan.faults.count / 2)
        #expect(round.compactMap(\.member) == ChaosPlan.members + [.backup, .backup])
        #expect(round.allSatisfy { $0.kind == .drain && $0.isRolling })
        #expect(round.map(\.interruptsBackup) == round.indices.map { $0 == round.count - 1 })
        #expect(plan.faults.allSatisfy { $0.at < 100_000 })
        // Behind a balancer, whatever else is said.
        #expect((try? ChaosOptions(["--rolling", "1"]))?.scale.lateSeconds == 2)
        #expect((try? ChaosOptions(["--rolling", "1", "--late", "5"]))?.scale.lateSeconds == 5)
        #expect((try? ChaosOptions(["--seed", "1"]))?.scale.lateSeconds == 0)
    }

    @Test("kinds that are left out are not drawn")
    func without() {
        let kinds = Set(plan(7, without: [.kill, .drain, .fillRedis]).faults.map(\.kind))
        #expect(kinds == Set(ChaosFault.Kind.allCases).subtracting([.kill, .drain, .fillRedis]))
    }

    @Test("the command line is read, and refused where it is wrong")
    func options() throws {
        let options = try ChaosOptions(["--seed", "5", "--seconds", "60", "--without", "kill,drain", "--json", "f"])
        #expect(
            options.seed == 5 && options.seconds == 60 && options.without == [.kill, .drain] && options.jsonPath == "f")
        #expect(try ChaosOptions(["--only", "drain"]).without == Set(ChaosFault.Kind.allCases).subtracting([.drain]))
        for wrong in [["--seed"], ["--seed", "-1"], ["--seconds", "5"], ["--without", "rain"], ["--nonsense"]] {
            #expect(throws: ChaosOptions.Refusal.self) { try ChaosOptions(wrong) }
        }
    }

    // MARK: Times

    private static let debate = DebateID(milliseconds: 1, random: Array(repeating: 1, count: 10))

    private func blow(
        _ kind: ChaosFault.Kind, _ member: Stack.Member?, _ began: Int64, _ ended: Int64, number: Int = 1
    ) -> ChaosStage.Blow {
        ChaosStage.Blow(
            fault: ChaosFault(number: number, at: 0, kind: kind, member: member, lasts: 0, draw: 0),
            began: began, ended: ended)
    }

    private func claim(_ owner: String?, _ writer: String, _ at: Int64) -> StackWitness.Claim {
        StackWitness.Claim(debate: Self.debate, epoch: 1, owner: owner, status: .running, writer: writer, at: at)
    }

    @Test("a takeover is counted from the kill to the next claim, and only where somebody else claimed")
    func killed() {
        let claims = [claim("run_1", "worker-1", 10_000_000), claim("run_2", "worker-2", 21_200_000)]
        let kill = blow(.kill, .worker(1), 20_000_000, 20_000_000)
        #expect(TakeoverTimes(blows: [kill], deaths: [], claims: claims).killed.undisturbed == [1200])
        let other = blow(.kill, .worker(2), 20_000_000, 20_000_000)
        #expect(TakeoverTimes(blows: [other], deaths: [], claims: claims).killed.undisturbed.isEmpty)
        #expect(TakeoverTimes(blows: [kill], deaths: [], claims: Array(claims.prefix(1))).killed.undisturbed.isEmpty)
    }

    @Test("what happened beside a hurt Postgres, or without any whole worker, is counted apart")
    func disturbed() {
        let claims = [claim("run_1", "worker-1", 10_000_000), claim("run_2", "worker-2", 21_200_000)]
        let kill = blow(.kill, .worker(1), 20_000_000, 20_000_000)
        let store = blow(.freezePostgres, nil, 20_100_000, 20_200_000, number: 2)
        #expect(TakeoverTimes(blows: [kill, store], deaths: [], claims: claims).killed.disturbed == [1200])
        let second = blow(.kill, .worker(2), 19_000_000, 19_100_000, number: 3)
        #expect(TakeoverTimes(blows: [kill, second], deaths: [], claims: claims).killed.undisturbed == [1200])
        let third = blow(.freeze, .worker(3), 19_000_000, 25_000_000, number: 4)
        #expect(TakeoverTimes(blows: [kill, second, third], deaths: [], claims: claims).killed.disturbed == [1200])
        #expect(
            TakeoverTimes(
                blows: [kill, second], deaths: [.init(member: .worker(3), at: 19_500_000, end: .exited(1))],
                claims: claims
            ).killed.disturbed == [1200])
    }

    @Test("a freeze counts when it is longer than a lease, a drain from the release")
    func frozenAndDrained() {
        let claims = [claim("run_1", "worker-1", 10_000_000), claim("run_2", "worker-2", 24_500_000)]
        let short = blow(.freeze, .worker(1), 20_000_000, 24_400_000)
        #expect(TakeoverTimes(blows: [short], deaths: [], claims: claims).frozen.undisturbed.isEmpty)
        let long = blow(.freeze, .worker(1), 20_000_000, 26_000_000)
        #expect(TakeoverTimes(blows: [long], deaths: [], claims: claims).frozen.undisturbed == [4500])
        let soon = blow(.freeze, .worker(1), 18_000_000, 24_000_000)
        let kept = TakeoverTimes(blows: [soon], deaths: [], claims: claims)
        #expect(kept.frozen.undisturbed.isEmpty && kept.kept == 1)
        let released = [claims[0], claim(nil, "worker-1", 20_100_000), claim("run_2", "worker-2", 20_130_000)]
        let drain = blow(.drain, .worker(1), 20_000_000, 22_000_000)
        #expect(TakeoverTimes(blows: [drain], deaths: [], claims: released).drained.undisturbed == [30])
    }

    @Test("percentiles are of the values that were measured")
    func percentiles() {
        #expect([3.0, 1, 2].percentile(50) == 2 && [3.0, 1, 2].percentile(99) == 3)
        #expect([Double]().percentile(50) == nil)
    }
}
