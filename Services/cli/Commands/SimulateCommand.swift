import Contracts
import Dispatch
import Glibc
import Platform
import Simulation
import Sockets

/// `aragora simulate`: what the engine does to the votes of agents whose competence is known, because they are statistics.
struct SimulateCommand: Command {
    static let shape = CommandShape(
        path: ["simulate"], summary: "Runs the debate engine with simulated agents, and checks what it promises.",
        details: """
            Whole debates of the real machine, event by event, with agents that are random numbers: no model, no network, no
            store. The same seed gives the same figures, on any number of threads. docs/evaluation.md explains the studies:
            \(StudyName.allCases.map { "  \($0.rawValue): \($0.about)" }.joined(separator: "\n"))
              speed: debates a second (three agents, three rounds)
            With --check, exit code 1 when a figure misses its target.
            """,
        options: [
            .value("--check", "STUDY", "Runs a study, or all, and holds it to its targets."),
            .value("--study", "STUDY", "Runs a study, or all, and only shows it; default: all."),
            .value("--debates", "N", "Debates of each figure; default \(StudyName.standardDebates)."),
            .value("--seed", "N", "Another seed than the quoted one."),
            .value("--threads", "N", "Threads; default: one for each processor."),
            .flag("--json", "Prints one JSON document instead of tables."),
        ],
        examples: ["aragora simulate --check all", "aragora simulate --study adaptive --debates 20000 --seed 7"])

    private static let threadsRange = 1...256
    private static let speed = "speed"
    private static let all = "all"

    private let studies: [StudyName]
    private let measuresSpeed: Bool
    private let isCheck: Bool
    private let debates: Int
    private let seed: UInt64?
    private let threads: Int
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        let (check, show) = (arguments.value("--check"), arguments.value("--study"))
        guard check == nil || show == nil else { throw Arguments.UsageError("--check and --study exclude each other") }
        let name = check ?? show ?? Self.all
        let known = StudyName.allCases.map(\.rawValue) + [Self.speed, Self.all]
        guard known.contains(name) else {
            throw Arguments.UsageError("there is no study \(name)\(Suggestion.sentence(for: name, among: known))")
        }
        studies = StudyName.allCases.filter { name == Self.all || $0.rawValue == name }
        measuresSpeed = name == Self.all || name == Self.speed
        isCheck = check != nil
        debates = try arguments.int("--debates", in: StudyName.debatesRange) ?? StudyName.standardDebates
        seed = try arguments.int("--seed", in: 0...Int.max).map { UInt64($0) }
        threads = try arguments.int("--threads", in: Self.threadsRange) ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        var reports: [StudyReport] = []
        for study in studies {
            let total = study.total(debates: debates)
            let progress = SimulationProgress(console: context.console, label: study.rawValue, total: total)
            let report = try await study.run(
                debates: debates, seed: seed, on: Experiment(threads: threads) { progress.show($0) })
            context.console.endProgress()
            reports.append(report)
            if !isJSON { for line in SimulationTable.lines(of: report) { context.console.print(line) } }
        }
        let speeds = measuresSpeed ? try await measureSpeed(context.console) : []
        if !isJSON { for line in SimulationTable.lines(of: speeds) { context.console.print(line) } }
        if isJSON { context.console.print(SimulationTable.json(of: reports, speeds)) }
        return isCheck && !(reports.allSatisfy(\.isMet) && speeds.allSatisfy(\.isMet)) ? .failed : .ok
    }

    private func measureSpeed(_ console: Console) async throws -> [SimulationSpeed] {
        var speeds: [SimulationSpeed] = []
        for threads in Set([1, threads]).sorted() {
            let progress = SimulationProgress(
                console: console, label: Self.speed, total: SimulationSpeed.debates(debates))
            let began = MonotonicTime.now()
            let events = try await SpeedRun.events(
                debates: SimulationSpeed.debates(debates), on: Experiment(threads: threads) { progress.show($0) })
            console.endProgress()
            speeds.append(
                SimulationSpeed(
                    threads: threads, debates: SimulationSpeed.debates(debates), events: events,
                    seconds: Double(MonotonicTime.now() - began) / 1e9, isJudged: threads == self.threads))
        }
        return speeds
    }
}
