import FaultSupport
import Glibc
import Platform
import PostgresClient
import RedisClient
import Sockets
import TestSupport

/// Does the faults of a plan: those of one process, of one store, one after another, and all of these beside each other.
/// And is the supervisor: what ends is started again.
struct FaultDriver: Sendable {
    private enum Whom: Hashable, Sendable {
        case process(Stack.Member), postgres, redis, providers
    }

    static let look: Duration = .milliseconds(40)
    static let patience: Duration = .seconds(60)

    let stage: ChaosStage
    let plan: ChaosPlan
    var stack: Stack { stage.stack }

    init(stage: ChaosStage, plan: ChaosPlan) {
        self.stage = stage
        self.plan = plan
    }

    /// Returns when every fault was done and is over; supervises until the stage is over.
    func run(since start: BootInstant) async {
        guard !plan.isRolling else { return await roll(since: start) }
        let all = Dictionary(grouping: plan.faults, by: Self.whom)
        await withTaskGroup(of: Void.self) { group in
            let others: [Whom] = [.postgres, .redis, .providers]
            for whom in ChaosPlan.members.map(Whom.process) + others {
                let faults = all[whom] ?? []
                group.addTask(executorPreference: stack.loop) { await strike(whom, faults, since: start) }
            }
        }
    }

    private static func whom(_ fault: ChaosFault) -> Whom {
        switch fault.kind.target {
        case .process: fault.member.map { .process($0) } ?? .providers
        case .postgres: .postgres
        case .redis: .redis
        case .providers: .providers
        }
    }

    private func strike(_ whom: Whom, _ faults: [ChaosFault], since start: BootInstant) async {
        for fault in faults {
            let due = start.advanced(by: .milliseconds(fault.at))
            while BootInstant.now() < due, !stage.isOver {
                await supervise(whom)
                await pause(Self.look)
            }
            guard !stage.isOver else { return }
            await supervise(whom)
            stage.begin(fault)
            do { try await perform(fault) } catch { stage.note("\(fault): \(error)") }
            stage.end(fault)
        }
        // Supervised to the end, whoever else is still being hurt.
        while stage.blows.count < plan.faults.count || !stage.clientsAreDone, !stage.isOver {
            await supervise(whom)
            await pause(Self.look)
        }
    }

    func pause(_ duration: Duration) async { try? await stack.loop.sleep(for: duration) }

    private func wait(_ fault: ChaosFault) async { await pause(.milliseconds(fault.lasts)) }

    // MARK: The supervisor

    /// Starts what has ended by itself.
    func superviseAll() async {
        for member in plan.members { await supervise(.process(member)) }
    }

    private func supervise(_ whom: Whom) async {
        guard case .process(let member) = whom, let process = try? stack.process(member), !process.isAlive else {
            return
        }
        guard let end = try? await process.waitForEnd() else { return }
        stage.died(member, end)
        await replace(member, process)
    }

    private func replace(_ member: Stack.Member, _ process: ServiceProcess) async {
        stage.sweep(after: process.pid)
        do { try stage.spawn(member) } catch { stage.note("\(member) could not be started: \(error)") }
    }

    // MARK: Faults

    func perform(_ fault: ChaosFault) async throws {
        switch fault.kind.target {
        case .process:
            guard let member = fault.member else { return }
            try await performOn(member, fault)
        case .postgres: try await performOnPostgres(fault)
        case .redis: try await performOnRedis(fault)
        case .providers:
            try await stage.providers.play(ChaosStage.brownOut, stack)
            await wait(fault)
            try await stage.providers.play(stage.scale.providers, stack)
        }
    }

    private func performOn(_ member: Stack.Member, _ fault: ChaosFault) async throws {
        let process = try stack.process(member)
        let network = try stage.network(of: member)
        switch fault.kind {
        case .kill:
            process.send(SIGKILL)
            try await process.waitForEnd()
            await wait(fault)
            await replace(member, process)
        case .freeze:
            process.send(SIGSTOP)
            await wait(fault)
            process.send(SIGCONT)
        case .drain, .hurry: try await drain(member, process, fault)
        case .cutPostgres: network.postgres.cut()
        case .cutRedis: network.redis.cut()
        case .loseAnswers: network.postgres.loseAnswers()
        case .partitionPostgres, .partitionRedis:
            let relay = fault.kind == .partitionRedis ? network.redis : network.postgres
            relay.hold(true)
            await wait(fault)
            relay.hold(false)
        case .jumpClock:
            try StackFolder.write("\(fault.draw < 0 ? "" : "+")\(fault.draw)\n", to: stage.clock(of: member))
            await wait(fault)
            try StackFolder.write("+0\n", to: stage.clock(of: member))
        default: break
        }
    }

    /// As a kubelet does: a request, some time, the end.
    private func drain(_ member: Stack.Member, _ process: ServiceProcess, _ fault: ChaosFault) async throws {
        let late = stage.scale.lateSeconds * 1000 * (fault.draw + 7200) / 14_400
        stage.endpoints?.leave(member, after: .milliseconds(late))
        process.send(SIGTERM)
        if fault.kind == .hurry {
            await pause(.milliseconds(100))
            process.send(SIGTERM)
        }
        let began = BootInstant.now()
        let grace = Duration.seconds(stage.scale.graceSeconds)
        while process.isAlive, BootInstant.now().since(began) < grace { await pause(Self.look) }
        if process.isAlive {
            stage.drainedLate("\(member), fault \(fault.number), after \(grace)")
            process.send(SIGKILL)
        }
        let end = try await process.waitForEnd()
        stage.endpoints?.ended(member)
        // The signal ends a process that is so young that it does not listen yet; in a rolling restart none is.
        let young: [ServiceProcess.End] = plan.isRolling ? [] : [.signalled(SIGTERM)]
        if !([.exited(0), .signalled(SIGKILL)] + young).contains(end) { stage.died(member, end) }
        if plan.isRolling, end != .exited(0) { stage.note("\(member) was drained and ended so: \(end)") }
        if member == .backup {
            for problem in await stack.collect({ try await stack.auditStoppedBackup(in: stage.backups) }) {
                stage.note("\(fault): \(problem)")
            }
        }
        await wait(fault)
        await replace(member, process)
    }

    private func performOnPostgres(_ fault: ChaosFault) async throws {
        let postgres = stage.postgres
        switch fault.kind {
        case .restartPostgres, .crashPostgres:
            try await postgres.stop(fault.kind == .crashPostgres ? .immediate : .fast)
            try await postgres.start()
        case .killBackend:
            let children = postgres.processes.dropFirst()
            guard !children.isEmpty else { return }
            kill(children[children.startIndex + abs(fault.draw) % children.count], SIGKILL)
            try await back()
        case .freezePostgres:
            let all = postgres.processes
            for pid in all { kill(pid, SIGSTOP) }
            await wait(fault)
            for pid in all { kill(pid, SIGCONT) }
        case .endSessions: try? await stack.database.endSessions(on: stack.loop)
        case .fillPostgres:
            try postgres.disk?.fill()
            await wait(fault)
            postgres.disk?.free()
            try await back()
        default: break
        }
    }

    /// Until Postgres answers again; it may have to be started, where it gave up.
    private func back() async throws {
        let began = BootInstant.now()
        while BootInstant.now().since(began) < Self.patience {
            try? await stage.postgres.ensureRunning()
            if (try? await stack.pool.query("SELECT 1 AS one")) != nil { return }
            await pause(Self.look)
        }
        throw Stack.Late(description: "Postgres did not come back:\n\(stage.postgres.logTail)")
    }

    private func performOnRedis(_ fault: ChaosFault) async throws {
        let redis = stage.redis
        switch fault.kind {
        case .killRedis, .forgetRedis:
            try await redis.kill()
            await wait(fault)
            if fault.kind == .forgetRedis { try await redis.forget() }
            try redis.start()
        case .flushRedis: try? await stack.withRedis { try await $0.send(RedisCommand("FLUSHALL")) }
        case .freezeRedis:
            redis.send(SIGSTOP)
            await wait(fault)
            redis.send(SIGCONT)
        case .fillRedis:
            try redis.disk?.fill()
            await wait(fault)
            redis.disk?.free()
        default: break
        }
    }

    // MARK: After the storm

    /// Undoes whatever may still be wrong, and starts what does not run.
    func heal() async throws {
        stage.postgres.disk?.free()
        stage.redis.disk?.free()
        for pid in stage.postgres.processes { kill(pid, SIGCONT) }
        try await back()
        stage.redis.send(SIGCONT)
        if !stage.redis.isRunning { try stage.redis.start() }
        for member in plan.members {
            let network = try stage.network(of: member)
            network.postgres.hold(false)
            network.redis.hold(false)
            try stack.process(member).send(SIGCONT)
        }
        for member in ChaosPlan.timeTravellers { try StackFolder.write("+0\n", to: stage.clock(of: member)) }
        try await stage.providers.play(stage.scale.providers, stack)
        await superviseAll()
    }
}
