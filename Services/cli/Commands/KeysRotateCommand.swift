import Contracts
import Crypto
import Platform
import ServiceKit
import Storage

/// `aragora keys rotate`.
struct KeysRotateCommand: Command {
    static let shape = CommandShape(
        path: ["keys", "rotate"], summary: "Seals every stored secret under the encryption key that is set.",
        details: """
            Set the new key as ARAGORA_ENCRYPTION_KEY and the one before as ARAGORA_ENCRYPTION_KEY_PREVIOUS first: here and for
            every service. The services do this by themselves within minutes; the command does it now, and may be run again after
            whatever stopped it. It also says that this key is the one, after another was in use: that is the way back. Exit
            code 1 when secrets are left that no key opens.
            """, options: [.flag("--json", "For programs.")])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let (box, settings) = try context.settings.storedSecrets()
        let outcome = try await Database.with(context) { pool in
            let scheduler = KeyRotationScheduler(
                store: KeyRotationStore(pool: pool), box: box, settings: settings, loop: context.loop,
                holder: "cli-" + Hex.encode(try RandomBytes.make(6)), log: context.log, metrics: Metrics())
            return try await scheduler.rotate(requestedBy: "command line", isOrdered: true)
        }
        let report = outcome.report
        if isJSON {
            let json = KeyRotationBody.outcome(report.word, report.rotation, message: report.sentence)
            context.console.print(String(decoding: CanonicalJSON.encode(json), as: UTF8.self))
        } else {
            let verdict = VerificationReport(console: context.console)
            let text = "\(report.word): \(report.sentence)"
            context.console.print(report.isGood ? verdict.good(text) : verdict.bad(text))
        }
        return report.isGood ? .ok : .failed
    }
}
