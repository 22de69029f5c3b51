import Contracts
import Domain
import Ledger

/// `aragora receipt verify`.
struct ReceiptVerifyCommand: Command {
    static let shape = CommandShape(
        path: ["receipt", "verify"], summary: "Checks a receipt from its file alone.",
        details: """
            Recomputes the checksum, and the signature with ARAGORA_RECEIPT_SIGNING_KEY or one of
            ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS (comma-separated). Needs no server.
            Exit code 0: intact, and signed by a key that is here. Without a key, or for an unsigned receipt, --allow-unsigned
            accepts what is intact.
            """,
        options: [
            .value(
                "--events", "FILE",
                "The debate's events (GET …/events, or demo --json): checks the chain that it names."),
            .flag("--allow-unsigned", "Accepts a receipt whose signature can not be checked."),
            .flag("--json", "For programs."),
        ], positionals: [.init(name: "FILE", help: "The receipt as JSON; - reads standard input.")])

    private let file: String
    private let eventsFile: String?
    private let allowsUnsigned: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        file = arguments.positionals[0]
        eventsFile = arguments.value("--events")
        allowsUnsigned = arguments.has("--allow-unsigned")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let keys = try context.settings.receiptKeys()
        let bytes = try await InputText.read(file, limit: ReceiptDocument.maximumBytes, on: context.blocking)
        let found: ReceiptVerification
        do throws(ContractError) {
            found = try ReceiptVerifier(keys: keys).verify(bytes, events: try await events(context))
        } catch {
            throw CommandFailure(.failed, "\(file): \(error.message)")
        }
        let isGood = found.isProven || (allowsUnsigned && found.isGood)
        if isJSON { printJSON(found, isGood, context.console) } else { printText(found, context.console) }
        return isGood ? .ok : .failed
    }

    private func events(_ context: CommandContext) async throws(ContractError) -> [SealedEvent]? {
        guard let eventsFile else { return nil }
        let bytes: [UInt8]
        do { bytes = try await InputText.read(eventsFile, limit: ClientForms.maximumBytes, on: context.blocking) } catch
        {
            throw ContractError(.malformed, "events: \(error)")
        }
        return try ClientForms.events(bytes)
    }

    private func printText(_ found: ReceiptVerification, _ console: Console) {
        console.print("receipt \(found.receiptID.text) of debate \(found.debateID.text)")
        for line in VerificationReport(console: console).receipt(found) { console.print(line) }
    }

    private func printJSON(_ found: ReceiptVerification, _ isGood: Bool, _ console: Console) {
        var keyID: String?
        let signature: String
        switch found.signature {
        case .valid(let key, _): (signature, keyID) = ("valid", key)
        case .unsigned: signature = "unsigned"
        case .noKey: signature = "no_key"
        case .unknownKey(let key): (signature, keyID) = ("unknown_key", key)
        case .invalid: signature = "invalid"
        }
        let chain =
            switch found.chain {
            case .valid: "valid"
            case .notChecked: "not_checked"
            case .broken, .different: "invalid"
            }
        let report = CommandReports.receipt(
            id: found.receiptID.text, debate: found.debateID.text, isIntact: found.isIntact, signature: signature,
            keyID: keyID, chain: chain, isGood: isGood)
        console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
    }
}
