import Glibc
import Platform

/// `receipt-prover vectors COUNT SEED` writes vectors to standard output; `receipt-prover mutate EDITS SEED` edits files and says
/// what was accepted: exit code 1 when anything was that should not be.
@main
enum Main {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 3, let count = Int(arguments[1]), count > 0, let seed = UInt64(arguments[2]) else {
            print("usage: receipt-prover vectors|mutate COUNT SEED")
            exit(64)
        }
        do {
            switch arguments[0] {
            case "vectors":
                try VectorWriter().write(count: count, seed: seed) { line in
                    var rest = (line + [10])[...]
                    while !rest.isEmpty {
                        let written = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
                        guard written > 0 else { exit(74) }
                        rest = rest.dropFirst(written)
                    }
                }
            case "mutate":
                let report = try await mutate(count, seed)
                for line in report.accepted { print("accepted: \(line)") }
                print(
                    "\(report.edits) edits, seed \(seed): \(report.places) of \(report.bytes) bytes touched, "
                        + "\(report.same) with the same canonical bytes, \(report.accepted.count) wrongly accepted")
                exit(report.accepted.isEmpty ? 0 : 1)
            default: exit(64)
            }
        } catch {
            print("\(error)")
            exit(70)
        }
    }

    /// Every form of file has its share, on as many threads as there are forms.
    private static func mutate(_ edits: Int, _ seed: UInt64) async throws -> MutationRun.Report {
        let forms = Specimen.Form.allCases
        return try await withThrowingTaskGroup(of: MutationRun.Report.self) { group in
            for (index, form) in forms.enumerated() {
                group.addTask { @concurrent in
                    let share = (edits + forms.count - 1) / forms.count
                    return try MutationRun(form, seed: seed &+ UInt64(index)).run(
                        edits: share, seed: seed ^ UInt64(index + 1))
                }
            }
            var report = MutationRun.Report()
            for try await part in group { report.add(part) }
            return report
        }
    }
}
