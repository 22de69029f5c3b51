import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import Sockets
import Storage

/// The program: reads the command line, makes the plan, brings everything up, lets it happen, and judges.
enum ChaosCommand {
    static func run(_ arguments: [String]) async {
        do throws(ChaosOptions.Refusal) {
            let options = try ChaosOptions(arguments)
            if options.helps { return say(ChaosOptions.about) }
            if options.listsFaults {
                for kind in ChaosFault.Kind.allCases { say("\(ChaosReport.padded(kind.rawValue, 20)) \(kind.about)") }
                return
            }
            let skipped = await ChaosStage.impossible().filter { !options.without.contains($0.key) }
                .map { (kind: $0.key, reason: $0.value) }.sorted { $0.kind.rawValue < $1.kind.rawValue }
            let plan = ChaosPlan(
                seed: options.seed, seconds: options.seconds, faults: options.faults, debates: options.debates,
                without: options.without.union(skipped.map(\.kind)), rolling: options.rolling)
            say(
                "seed \(plan.seed), plan \(plan.digest): \(plan.faults.count) faults in \(plan.seconds) s, \(plan.clients.count) debates"
            )
            if options.onlyPlans { return say(plan.description) }
            for (kind, reason) in skipped { say("left out: \(kind.rawValue), \(reason)") }
            exit(await play(plan, options, skipped))
        } catch {
            complain("error: \(error.message)")
            exit(64)
        }
    }

    private static func play(
        _ plan: ChaosPlan, _ options: ChaosOptions, _ skipped: [(kind: ChaosFault.Kind, reason: String)]
    ) async -> Int32 {
        let interruption = Interruption()
        interruption.listen()
        let canFill = await SmallDisk.isPossible()
        let stores: (PrivatePostgres, PrivateRedis, SimulatedProviders)
        do {
            let postgres = try await PrivatePostgres.make(
                diskMegabytes: canFill ? ChaosStage.diskMegabytes.postgres : nil)
            do {
                stores = (
                    postgres,
                    try await PrivateRedis(.durable(diskMegabytes: canFill ? ChaosStage.diskMegabytes.redis : nil)),
                    try SimulatedProviders()
                )
            } catch {
                await postgres.remove()
                throw error
            }
        } catch {
            complain("error: the stores did not start: \(error)")
            return 69
        }
        let code = await play(plan, options, skipped, stores, interruption)
        stores.2.stop()
        await stores.1.remove()
        await stores.0.remove()
        return code
    }

    private static func play(
        _ plan: ChaosPlan, _ options: ChaosOptions, _ skipped: [(kind: ChaosFault.Kind, reason: String)],
        _ stores: (PrivatePostgres, PrivateRedis, SimulatedProviders), _ interruption: Interruption
    ) async -> Int32 {
        let settings = [
            "WORKER_MAX_ATTEMPTS": "100", "WORKER_CONCURRENCY": "40", "WORKER_LEASE_SECONDS": "4",
            "ARAGORA_PROVIDER_MAX_TOKENS": "256", "ARAGORA_PROVIDER_MAX_INFLIGHT": "400", "ARAGORA_LOG_LEVEL": "info",
            // Everybody comes from one address.
            "ARAGORA_WS_CONN_RATE": "0", "ARAGORA_WS_MAX_PER_IP": "0",
        ].merging(options.scale.environment) { $1 }
        let stackPlan = Stack.Plan(
            environment: stores.2.environment.merging(settings) { $1 }, postgresURL: stores.0.url,
            redisURL: stores.1.url)
        let code = Lock<Int32>(1)
        do {
            try await Stack.lend("chaos", stackPlan) { stack in
                let run = ChaosRun(
                    plan: plan, options: options, skipped: skipped, stack: stack, stores: stores,
                    interruption: interruption)
                let result = try await Task(executorPreference: stack.loop) { try await run.play() }.value
                code.withLock { $0 = result }
            } report: { outcome in
                for problem in outcome.problems { complain("problem: \(problem)") }
                if !outcome.problems.isEmpty { code.withLock { $0 = max($0, 1) } }
            }
        } catch {
            complain("error: \(error)")
        }
        return code.withLock { $0 }
    }

    static func say(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    static func complain(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
