package import Domain

/// What a check of a receipt found.
package struct ReceiptVerification: Sendable, Equatable {
    package enum Signature: Sendable, Equatable {
        /// Signed by the key of this name.
        case valid(keyID: String, isCurrent: Bool)
        case unsigned
        /// Signed, but we were given no key.
        case noKey
        /// Signed by a key we do not have.
        case unknownKey(String)
        /// Ours by name, and wrong; or of a form that we never write.
        case invalid
    }

    package enum Chain: Sendable, Equatable {
        case notChecked
        case valid
        /// The log itself is broken.
        case broken(ChainFault)
        /// The log is whole but is not the one that the receipt names.
        case different(String)
    }

    package let receiptID: ReceiptID
    package let debateID: DebateID
    package let storedChecksum: String
    package let computedChecksum: String
    package let signature: Signature
    package let signedAt: String?
    package let chain: Chain
    /// Its texts were taken away, and it was sealed anew: what it says of numbers and of the log still counts.
    package let isErased: Bool

    /// The receipt says what it said when it was made.
    package var isIntact: Bool { storedChecksum == computedChecksum }

    /// Intact, signed by a key of ours or not signed at all, and matching the log as far as it was given.
    package var isGood: Bool {
        guard isIntact else { return false }
        switch signature {
        case .valid, .unsigned, .noKey: break
        case .unknownKey, .invalid: return false
        }
        return chain == .valid || chain == .notChecked
    }

    /// Intact and proven to be ours.
    package var isProven: Bool {
        if case .valid = signature { isGood } else { false }
    }
}
