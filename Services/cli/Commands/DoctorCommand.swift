import Contracts
import Platform

/// `aragora doctor`: what works here, and what does not.
struct DoctorCommand: Command {
    static let shape = CommandShape(
        path: ["doctor"],
        summary: "Looks at this installation: settings, certificate, providers, stores, debates, backups, host, API.",
        details: """
            Reads only, and takes less than five seconds. ✓ is well, ✗ is broken, ○ is worth knowing or could not be
            looked at. A finding has a code, which docs/troubleshooting.md lists, and a line that mends it.
            Exit code 1 when something is broken.
            """,
        options: [.flag("--json", "For programs.")])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let begun = BootInstant.now()
        let sections = await Doctor(survey: context.settings.survey(), context: context).examine()
        let seconds = BootInstant.now().since(begun).secondsValue
        let isHealthy = !sections.flatMap(\.checks).contains { $0.status == .failed }
        if isJSON {
            let report = CommandReports.doctor(sections, isHealthy: isHealthy, seconds: seconds)
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        } else {
            printText(sections, context.console)
        }
        return isHealthy ? .ok : .failed
    }

    private func printText(_ sections: [Doctor.Section], _ console: Console) {
        for (title, checks) in sections where !checks.isEmpty {
            console.print(console.styled(title, .bold))
            for line in checks.flatMap({ CheckLine.lines($0, console, indent: "  ") }) { console.print(line) }
        }
        let all = sections.flatMap(\.checks)
        let counts = [
            "\(all.count { $0.status == .passed }) passed", "\(all.count { $0.status == .failed }) failed",
            "\(all.count { $0.status == .warning || $0.status == .skipped }) optional",
        ]
        console.print("\nSummary: \(counts.joined(separator: ", "))")
    }
}
