import Contracts
import Crypto
import Domain
package import Ledger
package import Platform

/// The keys that receipts are signed and verified with: `ARAGORA_RECEIPT_SIGNING_KEY`, and the previous ones.
package struct ReceiptSettings: Sendable {
    private let keys: KeyRing?

    /// Without a key, receipts carry a checksum only.
    package init(reading reader: inout SettingsReader) {
        let current = reader.secret("ARAGORA_RECEIPT_SIGNING_KEY")
        let previous = reader.secret("ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS")
        guard let current else {
            if previous != nil {
                reader.report("ARAGORA_RECEIPT_SIGNING_KEY: required while ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS is set")
            }
            keys = nil
            return
        }
        do throws(CryptoError) {
            keys = try KeyRing(current: current.reveal(), previous: previous?.reveal() ?? "")
        } catch {
            keys = nil
            reader.report("ARAGORA_RECEIPT_SIGNING_KEY: \(error)")
        }
    }

    /// Checks receipts, with the current key and the previous ones.
    package var verifier: ReceiptVerifier { ReceiptVerifier(keys: keys) }

    /// Makes receipts at the end of debates.
    package var issuer: ReceiptIssuer {
        ReceiptIssuer { [keys] request in
            let id = ReceiptID(milliseconds: request.at.milliseconds, random: try RandomBytes.make(10))
            let receipt = Ledger.ReceiptIssuer.issue(
                id: id, debateID: request.debate, outcome: request.outcome, head: request.head,
                transcript: Transcript(hashes: request.transcript), at: request.at, keys: keys)
            return (receipt, receipt.summary)
        }
    }
}
