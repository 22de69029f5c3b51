package import Crypto
package import Platform

/// The keys of receipts (the current one signs, the previous ones still verify), and how long receipts are kept.
package struct ReceiptSettings: Sendable {
    /// Those in force; nil when no key is set: receipts then carry a checksum only.
    package var keys: KeyRing? { ring.current }
    /// Days after which a receipt is deleted, unless it is on legal hold.
    package let retentionDays: Int
    private let ring: Reloadable<KeyRing?>

    package init(reading reader: inout SettingsReader) {
        let (name, seedName) = ("ARAGORA_RECEIPT_SIGNING_KEY", "ARAGORA_RECEIPT_SIGNING_SEED")
        let current = reader.secret(
            name, help: "Signs receipts: hex, padded base64, or any text. Without it receipts carry a checksum only.")
        let previous = reader.secret(
            name + "_PREVIOUS", help: "Keys that still verify, newest first, separated by commas.")
        let seed = reader.secret(
            seedName,
            help: "Seed of the Ed25519 key beside it: 64 hex digits or base64. Without it, made from the signing key.")
        let previousSeeds = reader.secret(
            seedName + "_PREVIOUS",
            help: "Seeds whose public keys are still published, newest first, separated by commas.")
        retentionDays = reader.int(
            "ARAGORA_RECEIPT_RETENTION_DAYS", default: 2555, in: 1...36_500,
            help: "How long receipts are kept; one on legal hold is kept until the hold is lifted.")
        guard let current else {
            ring = Reloadable(nil)
            for (other, value) in [
                (name + "_PREVIOUS", previous), (seedName, seed), (seedName + "_PREVIOUS", previousSeeds),
            ]
            where value != nil { reader.report("\(other): needs \(name)") }
            reader.refuse(SettingFault(.receiptKeyMissing, name, "not set, so that receipts are not signed"))
            return
        }
        reader.requireStrength(of: current, name, otherwise: .receiptKeyShort)
        do throws(CryptoError) {
            ring = Reloadable(
                try KeyRing(
                    current: current.reveal(), previous: previous?.reveal() ?? "", seed: seed?.reveal(),
                    previousSeeds: previousSeeds?.reveal() ?? ""))
        } catch {
            ring = Reloadable(nil)
            reader.report("\(seed == nil ? name : seedName): \(error.message)")
        }
    }

    /// Signs and verifies with another reading's keys from now on.
    package func adopt(_ fresh: ReceiptSettings) { ring.replace(with: fresh.keys) }
}
