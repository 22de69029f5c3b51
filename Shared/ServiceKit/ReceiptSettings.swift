package import Crypto
package import Platform

/// The keys of receipts: the current one signs, the previous ones still verify.
package struct ReceiptSettings: Sendable {
    /// Those in force; nil when no key is set: receipts then carry a checksum only.
    package var keys: KeyRing? { ring.current }
    private let ring: Reloadable<KeyRing?>

    package init(reading reader: inout SettingsReader) {
        let name = "ARAGORA_RECEIPT_SIGNING_KEY"
        let current = reader.secret(
            name, help: "Signs receipts: hex, padded base64, or any text. Without it receipts carry a checksum only.")
        let previous = reader.secret(
            name + "_PREVIOUS", help: "Keys that still verify, newest first, separated by commas.")
        guard let current else {
            ring = Reloadable(nil)
            if previous != nil { reader.report("\(name)_PREVIOUS: needs \(name)") }
            reader.refuse(SettingFault(.receiptKeyMissing, name, "not set, so that receipts are not signed"))
            return
        }
        reader.requireStrength(of: current, name, otherwise: .receiptKeyShort)
        do throws(CryptoError) {
            ring = Reloadable(try KeyRing(current: current.reveal(), previous: previous?.reveal() ?? ""))
        } catch {
            ring = Reloadable(nil)
            reader.report("\(name): \(error.message)")
        }
    }

    /// Signs and verifies with another reading's keys from now on.
    package func adopt(_ fresh: ReceiptSettings) { ring.replace(with: fresh.keys) }
}
