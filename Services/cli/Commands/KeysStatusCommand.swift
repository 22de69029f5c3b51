import Contracts
import Crypto
import Platform
import ServiceKit
import Storage

/// `aragora keys status`.
struct KeysStatusCommand: Command {
    static let shape = CommandShape(
        path: ["keys", "status"], summary: "Shows how many stored secrets each encryption key opens.",
        details: """
            Versions are made from a key and say nothing about it. Reads the same settings as the services: ARAGORA_ENCRYPTION_KEY,
            ARAGORA_ENCRYPTION_KEY_PREVIOUS, and ARAGORA_API_TOKEN where no encryption key is set. Exit code 1 when the previous
            key is still needed, or secrets open with none.
            """, options: [.flag("--json", "For programs.")])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let (box, settings) = try context.settings.storedSecrets()
        let standing = try await Database.with(context) { pool in
            let store = KeyRotationStore(pool: pool)
            return try await store.standing()
        }
        let report = KeyStandingReport(standing, box, settings)
        if isJSON {
            context.console.print(String(decoding: CanonicalJSON.encode(report.json), as: UTF8.self))
        } else {
            show(report, standing, context.console)
        }
        return report.isPreviousNeeded || report.unreadable > 0 ? .failed : .ok
    }

    private func show(_ report: KeyStandingReport, _ standing: KeyStanding, _ console: Console) {
        let verdict = VerificationReport(console: console)
        for key in report.keys {
            let total = key.secrets.reduce(0) { $0 + $1.rows }
            let stores = key.secrets.map { "\($0.column) \($0.rows)" }.joined(separator: ", ")
            let text = "\(key.version) \(key.state.rawValue): \(total) secrets\(stores.isEmpty ? "" : " (\(stores))")"
            switch key.state {
            case .current: console.print(verdict.good(text))
            case .unreadable: console.print(verdict.bad(text))
            case .previous: console.print(total > 0 ? verdict.bad(text) : verdict.note(text))
            case .retired: console.print(verdict.note(text))
            }
        }
        if standing.aging.keys > 0 {
            console.print(
                verdict.note(
                    "\(standing.aging.keys) API keys were not used since the present key came: they end with the one before"
                ))
        }
        if standing.aging.backupCodes > 0 {
            console.print(
                verdict.note(
                    "\(standing.aging.backupCodes) users have backup codes from before it: they end with it too"))
        }
        guard let rotation = standing.rotations.first else { return }
        console.print(
            verdict.note(
                "newest rotation: \(rotation.state.rawValue), \(rotation.resealed) sealed anew, \(rotation.unreadable) unreadable"
            ))
    }
}
