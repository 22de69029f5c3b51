package import Domain

/// What the receipt log holds of a receipt: hashes only, so that a leaf may be shown to anybody and kept when the receipt
/// is erased or its retention has passed.
package struct ReceiptLeaf: Sendable, Equatable {
    package let receipt: ReceiptID
    /// Of the whole receipt, lower-case hex.
    package let checksum: String
    /// Of its redacted form; nil for receipts of the first version.
    package let redactedChecksum: String?

    package init(receipt: ReceiptID, checksum: String, redactedChecksum: String?) {
        self.receipt = receipt
        self.checksum = checksum
        self.redactedChecksum = redactedChecksum
    }

    /// What is hashed.
    package var bytes: [UInt8] {
        CanonicalJSON.encode([
            "checksum": .string(checksum), "receipt_id": .string(receipt.text),
            "redacted_checksum": .optional(redactedChecksum), "v": 1,
        ])
    }
}
