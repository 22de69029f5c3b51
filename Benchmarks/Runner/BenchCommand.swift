import Contracts
import Glibc
import Platform
import Sockets

/// The runner: reads the command line, runs benchmarks one after another, prints and writes what they found.
enum BenchCommand {
    static let benchmarks: [any Benchmark.Type] = [
        // First, as it also looks at the memory of this process.
        ProviderCalls.self, ProviderProxy.self,
        ReadyTime.self, HTTPRequests.self, APIRequests.self, EventLogAppend.self, CreateLatency.self, WholeDebates.self,
        WholeDebatesOpen.self, FanOut.self,
        IdleWebSockets.self, ManyConnections.self, ReconnectStorm.self, TakeoverTime.self, SimulatedDebates.self,
        Receipts.self,
    ]

    static func run(_ arguments: [String]) async {
        do throws(BenchOptions.Refusal) {
            let options = try BenchOptions(arguments)
            if options.helps { return Terminal.out(BenchOptions.about) }
            let chosen = try choose(options)
            if options.lists { return chosen.forEach { Terminal.out("\($0.name)\t\($0.about)") } }
            guard let stores = BenchStores.fromEnvironment() else {
                Terminal.error(
                    "error: start this with scripts/bench.sh, which brings Postgres, Redis and the executables")
                exit(78)
            }
            exit(await measure(chosen, options, stores))
        } catch {
            Terminal.error("error: \(error.message)")
            exit(64)
        }
    }

    private static func choose(_ options: BenchOptions) throws(BenchOptions.Refusal) -> [any Benchmark.Type] {
        guard !options.only.isEmpty else { return benchmarks }
        for name in options.only where !benchmarks.contains(where: { $0.name == name }) {
            throw BenchOptions.Refusal(message: "no such benchmark: \(name) (see --list)")
        }
        return benchmarks.filter { options.only.contains($0.name) }
    }

    private static func measure(
        _ chosen: [any Benchmark.Type], _ options: BenchOptions, _ stores: BenchStores
    ) async -> Int32 {
        Limits.raiseDescriptors()
        var report = Report(machine: Machine.here(), isQuick: options.isQuick)
        Terminal.out(report.machine.text)
        guard let loops = try? EventLoop.group(count: 3, name: "bench") else { return 1 }
        let bench = Bench(
            options: options, stores: stores, loop: loops[0], clientLoops: Array(loops.dropFirst()),
            processors: Machine.allowedProcessors())
        for kind in chosen {
            Terminal.out("\n\(kind.name): \(kind.about)")
            let outcome = await Task(executorPreference: loops[0]) { await Self.outcome(of: kind.init(), bench) }.value
            report.add(kind.name, outcome)
            // Written after each: what was measured is kept whatever comes later.
            if let path = options.jsonPath { report.write(to: path) }
        }
        return report.hasFailures ? 1 : 0
    }

    private static func outcome(of benchmark: any Benchmark, _ bench: Bench) async -> Report.Outcome {
        do {
            let figures = try await benchmark.measure(bench)
            for figure in figures { Terminal.out("  \(figure.line)") }
            return .measured(figures)
        } catch let skipped as Skipped {
            Terminal.out("  skipped: \(skipped)")
            return .skipped(skipped.description)
        } catch {
            Terminal.out("  failed: \(error)")
            return .failed("\(error)")
        }
    }
}
