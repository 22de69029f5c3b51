import Domain
import Ledger

/// What was proved of a log and its receipt, in lines for a person.
struct VerificationReport {
    let console: Console

    func chain(events: Int) -> String {
        good("chain: \(events) events, each linked to the one before by SHA-256, checked here")
    }

    /// What a replay came to.
    func rebuilt(_ replayed: ReplayedDebate) -> [String] {
        let tally = replayed.tally
        let commands = tally.commands > 0 ? " and \(tally.commands) intervention\(tally.commands == 1 ? "" : "s")" : ""
        var lines = [
            good(
                "replay: all \(tally.events) events were rebuilt from \(tally.outcomes) recorded outcomes\(commands), byte for byte the same"
            )
        ]
        if !replayed.hasEnded { lines.append(note("replay: the debate has not ended; it was rebuilt as far as it is")) }
        if tally.unusedAnswers > 0 {
            lines.append(note("replay: \(tally.unusedAnswers) answers came too late to be used"))
        }
        return lines
    }

    func notRebuilt(_ fault: ReplayFault) -> String {
        let text = "replay: \(TerminalText.safeLine(fault.description))"
        return fault.isIncomplete ? note(text) : bad(text)
    }

    /// - Parameter server: what the API says, when we hold no key.
    func receipt(
        _ found: ReceiptVerification, server: (isIntact: Bool, signature: (isValid: Bool, keyID: String?))? = nil
    ) -> [String] {
        var lines = [
            found.isIntact
                ? good("receipt: \(found.receiptID.text) says what it said when it was made (checksum)")
                : bad("receipt: \(found.receiptID.text) was changed: its checksum does not match")
        ]
        if found.isErased { lines.append(note("receipt: its texts were taken out; what it says besides still counts")) }
        switch found.chain {
        case .valid: lines.append(good("receipt: the log it names is this one, event for event"))
        case .validExcerpts(let count):
            lines.append(good("receipt: \(count) of the events it covers are here, each proven by the Merkle root"))
        case .broken(let fault): lines.append(bad("log: \(fault)"))
        case .different(let why): lines.append(bad("receipt: \(why)"))
        case .notChecked: break
        }
        lines.append(signature(found, server))
        return lines + publicSignature(found) + inclusion(found.inclusion)
    }

    /// By the pair of keys; nothing for receipts that have none.
    private func publicSignature(_ found: ReceiptVerification) -> [String] {
        switch found.publicSignature {
        case .valid(let keyID, let isCurrent):
            [good("receipt: signed by \(keyID) (Ed25519)\(isCurrent ? "" : ", a previous key")")]
        case .unknownKey(let keyID):
            [bad("receipt: signed by \(TerminalText.safeLine(keyID)), a public key that is not here")]
        case .invalid: [bad("receipt: the Ed25519 signature is wrong")]
        case .noKey: [note("receipt: signed with Ed25519 too; --key checks it")]
        case .unsigned: []
        }
    }

    private func inclusion(_ inclusion: ReceiptVerification.Inclusion) -> [String] {
        switch inclusion {
        case .notChecked: []
        case .invalid(let why): [bad("receipt log: \(why)")]
        case .valid(let index, let size, let origin, let head):
            [
                good("receipt log: leaf \(index) of the \(size) in \(TerminalText.safeLine(origin))"),
                headLine(head),
            ]
        }
    }

    private func headLine(_ signature: ReceiptVerification.Signature) -> String {
        switch signature {
        case .valid(let keyID, let isCurrent):
            good("receipt log: its head is signed by \(keyID)\(isCurrent ? "" : ", a previous key")")
        case .unsigned: note("receipt log: its head is not signed")
        case .noKey: note("receipt log: its head is signed; --key checks it")
        case .unknownKey(let keyID):
            bad("receipt log: its head is signed by \(TerminalText.safeLine(keyID)), unknown here")
        case .invalid: bad("receipt log: the signature of its head is wrong")
        }
    }

    private func signature(
        _ found: ReceiptVerification, _ server: (isIntact: Bool, signature: (isValid: Bool, keyID: String?))?
    ) -> String {
        switch found.signature {
        case .valid(let keyID, let isCurrent):
            return good("receipt: signed by \(keyID) (HMAC-SHA256)\(isCurrent ? "" : ", a previous key")")
        case .unsigned: return note("receipt: not signed (no ARAGORA_RECEIPT_SIGNING_KEY where it was issued)")
        case .unknownKey(let keyID):
            return bad("receipt: signed by \(TerminalText.safeLine(keyID)), a key that is not here")
        case .invalid: return bad("receipt: the signature is wrong")
        case .noKey:
            guard let server else { return note("receipt: signed, but no key is here to check it with") }
            guard server.signature.isValid else {
                return bad("receipt: the server does not know the signature as its own")
            }
            return good(
                "receipt: signed by \(TerminalText.safeLine(server.signature.keyID ?? "")), says the server; no key is here to check it with"
            )
        }
    }

    func good(_ text: String) -> String { "\(console.styled("✓", .green)) \(text)" }
    func bad(_ text: String) -> String { "\(console.styled("✗", .red)) \(text)" }
    func note(_ text: String) -> String { "\(console.styled("○", .yellow)) \(text)" }
}
