import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport

/// One run: everything comes up, clients and faults happen, everything is healed, every check is made.
struct ChaosRun: Sendable {
    let plan: ChaosPlan
    let options: ChaosOptions
    let skipped: [(kind: ChaosFault.Kind, reason: String)]
    let stack: Stack
    let stores: (PrivatePostgres, PrivateRedis, SimulatedProviders)
    let interruption: Interruption

    private static let progressEvery: Duration = .seconds(10)
    /// How long everything may take to come to its end once nothing is wrong any more.
    private static let calm: Duration = .seconds(180)

    /// - Returns: the exit code.
    func play() async throws -> Int32 {
        let stage = try ChaosStage(
            stack: stack, plan: plan, postgres: stores.0, redis: stores.1, providers: stores.2,
            without: options.without.union(skipped.map(\.kind)), scale: options.scale, interruption: interruption)
        defer { stage.close() }
        defer { keepLogs() }
        try await stores.1.ready(stack)
        try await stores.2.start(stack, scenario: options.scale.providers)
        for member in plan.members { try stage.spawn(member) }
        for member in plan.members { try await stack.ready(member) }
        let load = StackFolder.read("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")
        ChaosCommand.say("everything is ready; load \(load)")
        // What an api says of a request that met a store that was away.
        stack.forgiveErrors(containing: #""error_code":"service_unavailable""#)
        let start = BootInstant.now()
        let crowd = ClientCrowd(stage: stage, plan: plan, moreViewers: options.viewers)
        let driver = FaultDriver(stage: stage, plan: plan)
        await storm(stage, crowd, driver, start)
        guard !interruption.isWanted else {
            ChaosCommand.say("interrupted")
            return 130
        }
        let seconds = Double(BootInstant.now().since(start).milliseconds) / 1000
        return try await judge(stage, crowd, load, seconds)
    }

    private func keepLogs() {
        guard let folder = options.logFolder else { return }
        mkdir(folder, 0o755)
        for (file, text) in StackFolder.logs(in: stack.folder) { try? StackFolder.write(text, to: "\(folder)/\(file)") }
    }

    /// What happened when, in one file: for whoever looks for the reason of something.
    private func keepHistory(_ stage: ChaosStage, _ claims: [StackWitness.Claim]) {
        let claims = claims.map { claim in
            (
                claim.at,
                "\(claim.debate) epoch \(claim.epoch) \(claim.owner ?? "nobody") \(claim.status) by \(claim.writer)"
            )
        }
        let begun = stage.blows.map { ($0.began, "begin \($0.fault)") }
        let over = stage.blows.map { ($0.ended, "end \($0.fault)") }
        let deaths = stage.deaths.map { ($0.at, "\($0.member) ended: \($0.end)") }
        let lines = (claims + begun + over + deaths).sorted { $0.0 < $1.0 }.map { "\($0.0 / 1000) \($0.1)" }
        try? StackFolder.write(lines.joined(separator: "\n") + "\n", to: "\(stack.folder)/history.log")
    }

    /// Clients and faults until both are done, then the calm until every debate has ended.
    private func storm(_ stage: ChaosStage, _ crowd: ClientCrowd, _ driver: FaultDriver, _ start: BootInstant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: stack.loop) { await tell(stage, crowd, since: start) }
            if let endpoints = stage.endpoints {
                let members = ChaosPlan.apis.map { Stack.Member.api($0) } + ChaosPlan.gateways.map { .gateway($0) }
                group.addTask(executorPreference: stack.loop) { await endpoints.run(members) { stage.isOver } }
            }
            await withTaskGroup(of: Void.self) { work in
                work.addTask(executorPreference: stack.loop) { await driver.run(since: start) }
                work.addTask(executorPreference: stack.loop) {
                    await crowd.run(since: start)
                    stage.clientsDone()
                    ChaosCommand.say("\(at(start)): every client has done what it wanted")
                }
            }
            ChaosCommand.say("\(at(start)): every fault was done; now everything is healed")
            do { try await driver.heal() } catch { stage.note("healing: \(error)") }
            await calm(stage, crowd, driver)
            stage.finish()
        }
    }

    private func at(_ start: BootInstant) -> String { "\(BootInstant.now().since(start).milliseconds / 1000) s" }

    /// Resumes what is paused until everything has ended.
    private func calm(_ stage: ChaosStage, _ crowd: ClientCrowd, _ driver: FaultDriver) async {
        let debates = crowd.creates.flatMap { $0.answers.prefix(1) }
        do {
            try await stack.eventually("every debate ends once all is healed", within: Self.calm) {
                await driver.superviseAll()
                guard !interruption.isWanted else { return true }
                var isOver = true
                for row in try await stack.pool.query(
                    """
                    SELECT debate_id, status FROM debate_runs
                    WHERE status NOT IN ('completed', 'failed', 'cancelled', 'timeout')
                    """)
                {
                    isOver = false
                    guard try row.text("status") == "paused", let debate = DebateID(try row.text("debate_id")) else {
                        continue
                    }
                    _ = try? await stack.act("resume", on: debate, to: .api(1), within: .seconds(3))
                }
                try await stack.loop.sleep(for: .milliseconds(200))
                return isOver
            }
        } catch {
            stage.note("\(error); \(debates.count) were accepted")
        }
    }

    private func tell(_ stage: ChaosStage, _ crowd: ClientCrowd, since start: BootInstant) async {
        while !stage.isOver {
            for _ in 0..<50 where !stage.isOver { try? await stack.loop.sleep(for: Self.progressEvery / 50) }
            let ended = try? await stack.pool.query(
                "SELECT count(*) FILTER (WHERE status IN ('completed', 'failed', 'cancelled', 'timeout')) AS n FROM debate_runs"
            )[0].int("n")
            ChaosCommand.say(
                "\(at(start)): \(stage.blows.count) of \(plan.faults.count) faults, \(crowd.accepted) debates accepted, \(ended.map(String.init) ?? "?") ended"
            )
        }
    }

    // MARK: Afterwards

    private func judge(_ stage: ChaosStage, _ crowd: ClientCrowd, _ load: String, _ seconds: Double) async throws
        -> Int32
    {
        let creates = crowd.creates
        let audit = FleetAudit(
            stack: stack, providers: stores.2, creates: creates, apis: ChaosPlan.apis.map { .api($0) })
        var verdicts = await audit.verdicts(tell)
        let accepted = FleetAudit.Verdict(
            promise: "every client that did not give up was served in the end", examined: plan.clients.count,
            problems: creates.count == plan.clients.count ? [] : ["\(plan.clients.count - creates.count) were not"])
        let processes = FleetAudit.Verdict(
            promise: "no process crashed, and none said of itself what it must never say", examined: stage.starts,
            problems: stage.problems + Self.crashes(stage.deaths) + (await stack.collect { stack.auditLogs() }))
        let others =
            [accepted, processes] + (try await evictions(stage)) + Self.requests(stage) + (await backups(stage))
        for verdict in others { tell(verdict) }
        verdicts += others
        let claims = try await StackWitness.claims(stack.pool)
        if options.logFolder != nil { keepHistory(stage, claims) }
        let report = try await report(stage, crowd, claims, verdicts, load, seconds)
        ChaosCommand.say(report.text)
        if let path = options.jsonPath, !report.write(to: path) {
            ChaosCommand.complain("warning: \(path) could not be written")
        }
        return report.isClean ? 0 : 1
    }

    /// Where nothing was done but asking processes to go, no call may have been lost.
    private func evictions(_ stage: ChaosStage) async throws -> [FleetAudit.Verdict] {
        guard !stage.blows.isEmpty, stage.blows.allSatisfy({ $0.fault.kind == .drain }) else { return [] }
        let calls = try await stack.pool.query(
            """
            SELECT debate_id, call_key, attempt, state FROM agent_calls
            WHERE state NOT IN ('answered', 'refused') AND debate_id NOT IN (
                SELECT debate_id FROM debate_runs WHERE status = 'cancelled')
            """)
        var problems = stage.lateDrains.map { "drained late: \($0)" }
        for row in calls {
            problems.append(
                "\(try row.text("debate_id")) \(try row.text("call_key")) \(try row.int("attempt")) is \(try row.text("state"))"
            )
        }
        let (_, sent) = try await stores.2.ledger(stack)
        for (call, count) in sent where count > 1 { problems.append("\(call) was sent \(count) times") }
        return [
            .init(
                promise: "no eviction lost a call, had one sent twice, or outlasted its grace",
                examined: stage.blows.count,
                problems: problems)
        ]
    }

    private static func requests(_ stage: ChaosStage) -> [FleetAudit.Verdict] {
        guard let findings = stage.endpoints?.findings else { return [] }
        func counts(_ counts: [Endpoints.Visitor: Int]) -> String {
            Endpoints.Visitor.allCases.map { "\(counts[$0] ?? 0) of a \($0)" }.joined(separator: ", ")
        }
        let isLate = findings.askedLate.values.reduce(0, +) > 0
        return [
            .init(
                promise: "every request to who was still listed was answered (\(counts(findings.asked))), "
                    + "also after it was asked to stop (\(counts(findings.askedLate)))",
                examined: findings.asked.values.reduce(0, +),
                problems: isLate ? findings.failures : findings.failures + ["nobody came late"])
        ]
    }

    /// What the backup services did that were asked to stop; that they left nothing half done was seen when they ended.
    private func backups(_ stage: ChaosStage) async -> [FleetAudit.Verdict] {
        guard plan.isRolling else { return [] }
        let examined = Lock(0)
        let problems = await stack.collect {
            try await stack.eventually("the last backup service has made a backup") {
                StackFolder.files(in: stage.backups).contains { $0.hasSuffix(".sql.gz") }
            }
            let log = StackFolder.read("\(stack.folder)/\(Stack.Member.backup).log")
            let interrupted = Self.count("backup given up", in: log)
            let planned = plan.faults.count(where: \.interruptsBackup)
            stack.check(interrupted == planned, "\(interrupted) backups were given up, \(planned) were to be")
            examined.withLock { $0 = Self.count("backup verified", in: log) + interrupted }
        }
        return [
            .init(
                promise: "backups under way were given up and left nothing; the others are whole",
                examined: examined.withLock { $0 }, problems: problems)
        ]
    }

    private static func count(_ message: String, in log: String) -> Int {
        log.split(separator: "\n").count { $0.contains(message) }
    }

    /// A process may end by itself when its stores are away at its start; it may never be ended by a signal of its own.
    static func crashes(_ deaths: [ChaosStage.Death]) -> [String] {
        deaths.compactMap { death in
            guard case .signalled(let signal) = death.end else { return nil }
            return "\(death.member) was ended by signal \(signal)"
        }
    }

    private func tell(_ verdict: FleetAudit.Verdict) {
        ChaosCommand.say("\(verdict.problems.isEmpty ? "ok  " : "FAIL") \(verdict.promise) (\(verdict.examined))")
        for problem in verdict.problems.prefix(12) { ChaosCommand.say("       \(problem)") }
        if verdict.problems.count > 12 { ChaosCommand.say("       and \(verdict.problems.count - 12) more") }
    }

    private func report(
        _ stage: ChaosStage, _ crowd: ClientCrowd, _ claims: [StackWitness.Claim], _ verdicts: [FleetAudit.Verdict],
        _ load: String, _ seconds: Double
    ) async throws -> ChaosReport {
        let blows = stage.blows
        let times = TakeoverTimes(blows: blows, deaths: stage.deaths, claims: claims)
        var ends: [String: Int] = [:]
        for row in try await stack.pool.query("SELECT status, count(*) AS n FROM debate_runs GROUP BY status") {
            ends[try row.text("status")] = try row.int("n")
        }
        return ChaosReport(
            plan: plan, skipped: skipped, load: load, seconds: seconds, blows: blows, starts: stage.starts,
            deaths: stage.deaths, lateDrains: stage.lateDrains, answers: crowd.answers, ends: ends,
            events: try await stack.pool.query("SELECT count(*) AS n FROM debate_events")[0].int("n"),
            claims: claims.count,
            spent: try await stack.pool.query(
                "SELECT coalesce(sum(cost_micro_usd), 0)::bigint AS n FROM agent_calls")[0].int64("n"),
            viewerConnections: crowd.creates.flatMap(\.viewers).map(\.connections).reduce(0, +),
            kept: times.kept, verdicts: verdicts,
            aims: [
                .init(what: "takeover, worker killed", series: times.killed, p50: 1500, p99: 3000),
                .init(what: "takeover, worker frozen or cut off", series: times.frozen, p99: 5000),
                .init(what: "drained worker's debate continues", series: times.drained, p99: 1000),
                .init(
                    what: "cancel", series: TakeoverTimes.cancels(crowd.cancels, blows: blows), p99: 1000),
            ])
    }
}
