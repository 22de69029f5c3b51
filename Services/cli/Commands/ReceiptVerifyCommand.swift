import Contracts
import Crypto
import Domain
import Ledger

/// `aragora receipt verify`.
struct ReceiptVerifyCommand: Command {
    static let shape = CommandShape(
        path: ["receipt", "verify"], summary: "Checks a receipt from its file alone.",
        details: """
            FILE is a receipt, or a bundle (GET /api/receipts/ID/bundle): a receipt with its events and its place in the
            receipt log. Recomputes the checksum and whatever else the file holds; checks the HMAC with
            ARAGORA_RECEIPT_SIGNING_KEY or one of ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS (comma-separated), and Ed25519 with
            --key or the keys that belong to these. Needs no server and no database.
            Exit code 0: intact, and signed by a key that is here. Without a key, or for an unsigned receipt, --allow-unsigned
            accepts what is intact.
            """,
        options: [
            .value(
                "--key", "KEY",
                "A public key: 64 hex digits, base64, or a file (PEM, or the answer of /api/receipts/signing-key)."),
            .value(
                "--events", "FILE",
                "The debate's events (GET …/events, or demo --json): checks the chain that it names."),
            .value(
                "--head", "FILE",
                "A head of the receipt log seen before: the bundle's must be proven to continue it."),
            .flag("--allow-unsigned", "Accepts a receipt whose signature can not be checked."),
            .flag("--json", "For programs."),
        ], positionals: [.init(name: "FILE", help: "The receipt or bundle as JSON; - reads standard input.")])

    private let file: String
    private let key: String?
    private let eventsFile: String?
    private let headFile: String?
    private let allowsUnsigned: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        file = arguments.positionals[0]
        key = arguments.value("--key")
        eventsFile = arguments.value("--events")
        headFile = arguments.value("--head")
        allowsUnsigned = arguments.has("--allow-unsigned")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let keys = try await keys(context)
        let bytes = try await InputText.read(file, limit: ReceiptBundle.maximumBytes, on: context.blocking)
        let (events, head) = (try await events(context), try await head(context))
        let found: ReceiptVerification
        do throws(ContractError) {
            var bundle = try ReceiptBundle.parse(bytes)
            if let events {
                let count = bundle.receipt.eventCount ?? 0
                bundle = ReceiptBundle(
                    receipt: bundle.receipt, events: events.filter { $0.seq <= count }, excerpts: bundle.excerpts,
                    log: bundle.log)
            }
            found = try ReceiptVerifier(keys).verify(bundle, after: head)
        } catch {
            throw CommandFailure(.failed, "\(file): \(error.message)")
        }
        let isGood = found.isProven || (allowsUnsigned && found.isGood)
        if isJSON { printJSON(found, isGood, context.console) } else { printText(found, context.console) }
        return isGood ? .ok : .failed
    }

    private func keys(_ context: CommandContext) async throws -> VerificationKeys {
        let secret = try context.settings.receiptKeys()
        guard let key else { return VerificationKeys(secret: secret) }
        return VerificationKeys(secret: secret, open: try await PublicKeys.read(key, on: context.blocking))
    }

    private func events(_ context: CommandContext) async throws -> [SealedEvent]? {
        guard let eventsFile else { return nil }
        let bytes = try await InputText.read(eventsFile, limit: ClientForms.maximumBytes, on: context.blocking)
        do throws(ContractError) { return try ClientForms.events(bytes) } catch {
            throw CommandFailure(.failed, "\(eventsFile): \(error.message)")
        }
    }

    private func head(_ context: CommandContext) async throws -> TreeHead? {
        guard let headFile else { return nil }
        let bytes = try await InputText.read(headFile, limit: 64 * 1024, on: context.blocking)
        do throws(ContractError) { return try TreeHead.parse(bytes) } catch {
            throw CommandFailure(.failed, "\(headFile): \(error.message)")
        }
    }

    private func printText(_ found: ReceiptVerification, _ console: Console) {
        console.print("receipt \(found.receiptID.text) of debate \(found.debateID.text)")
        for line in VerificationReport(console: console).receipt(found) { console.print(line) }
    }

    private func printJSON(_ found: ReceiptVerification, _ isGood: Bool, _ console: Console) {
        let chain =
            switch found.chain {
            case .valid: "valid"
            case .validExcerpts: "valid_excerpts"
            case .notChecked: "not_checked"
            case .broken, .different: "invalid"
            }
        let log =
            switch found.inclusion {
            case .valid: "valid"
            case .notChecked: "not_checked"
            case .invalid: "invalid"
            }
        let (secret, open) = (word(found.signature), word(found.publicSignature))
        let report = CommandReports.receipt(
            id: found.receiptID.text, debate: found.debateID.text, isIntact: found.isIntact, signature: secret.word,
            keyID: secret.keyID, publicSignature: open.word, publicKeyID: open.keyID, chain: chain, log: log,
            isGood: isGood)
        console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
    }

    private func word(_ signature: ReceiptVerification.Signature) -> (word: String, keyID: String?) {
        switch signature {
        case .valid(let key, _): ("valid", key)
        case .unsigned: ("unsigned", nil)
        case .noKey: ("no_key", nil)
        case .unknownKey(let key): ("unknown_key", key)
        case .invalid: ("invalid", nil)
        }
    }
}
