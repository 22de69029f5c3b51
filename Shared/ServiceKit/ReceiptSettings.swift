package import Crypto
package import Platform

/// The keys of receipts: the current one signs, the previous ones still verify.
package struct ReceiptSettings: Sendable {
    /// Nil when no key is set: receipts then carry a checksum only.
    package let keys: KeyRing?

    package init(reading reader: inout SettingsReader) {
        let name = "ARAGORA_RECEIPT_SIGNING_KEY"
        let current = reader.secret(
            name, help: "Signs receipts: hex, padded base64, or any text. Without it receipts carry a checksum only.")
        let previous = reader.secret(
            name + "_PREVIOUS", help: "Keys that still verify, newest first, separated by commas.")
        guard let current else {
            keys = nil
            if previous != nil { reader.report("\(name)_PREVIOUS: needs \(name)") }
            reader.refuse(SettingFault(.receiptKeyMissing, name, "not set, so that receipts are not signed"))
            return
        }
        reader.requireStrength(of: current, name, otherwise: .receiptKeyShort)
        do throws(CryptoError) {
            keys = try KeyRing(current: current.reveal(), previous: previous?.reveal() ?? "")
        } catch {
            keys = nil
            reader.report("\(name): \(error.message)")
        }
    }
}
