import Domain
import Ledger

/// What was proved of a log and its receipt, in lines for a person.
struct VerificationReport {
    let console: Console

    func chain(events: Int) -> String {
        good("chain: \(events) events, each linked to the one before by SHA-256, checked here")
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
        if found.isErased { lines.append(note("receipt: its texts were erased; it was sealed anew then")) }
        switch found.chain {
        case .valid: lines.append(good("receipt: the log it names is this one, event for event"))
        case .broken(let fault): lines.append(bad("log: \(fault)"))
        case .different(let why): lines.append(bad("receipt: \(why)"))
        case .notChecked: break
        }
        lines.append(signature(found, server))
        return lines
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
