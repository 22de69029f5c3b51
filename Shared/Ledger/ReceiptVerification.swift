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

        /// Nothing speaks against it, as far as it could be checked.
        var isAcceptable: Bool {
            switch self {
            case .valid, .unsigned, .noKey: true
            case .unknownKey, .invalid: false
            }
        }

        var isValid: Bool { if case .valid = self { true } else { false } }
    }

    package enum Chain: Sendable, Equatable {
        case notChecked
        case valid
        /// Not all events were given; those that were are proven to be what the receipt covers.
        case validExcerpts(Int)
        /// The log itself is broken.
        case broken(ChainFault)
        /// The log is whole but is not the one that the receipt names.
        case different(String)
    }

    /// Whether it is in the receipt log.
    package enum Inclusion: Sendable, Equatable {
        case notChecked
        /// Leaf `index` of the tree that this head names.
        case valid(index: Int64, size: Int64, origin: String, head: Signature)
        case invalid(String)
    }

    package let receiptID: ReceiptID
    package let debateID: DebateID
    package let storedChecksum: String
    package let computedChecksum: String
    /// By the secret key.
    package let signature: Signature
    /// By the pair whose public key everybody may have.
    package let publicSignature: Signature
    package let signedAt: String?
    package let chain: Chain
    package let inclusion: Inclusion
    /// Its texts were taken away: what it says of numbers and of the log still counts.
    package let isErased: Bool

    /// The receipt says what it said when it was made.
    package var isIntact: Bool { storedChecksum == computedChecksum }

    /// Intact, signed by keys of ours or not signed at all, and matching the log and the receipt log as far as given.
    package var isGood: Bool {
        guard isIntact, signature.isAcceptable, publicSignature.isAcceptable else { return false }
        if case .invalid = inclusion { return false }
        if case .valid(_, _, _, let head) = inclusion, !head.isAcceptable { return false }
        switch chain {
        case .valid, .validExcerpts, .notChecked: return true
        case .broken, .different: return false
        }
    }

    /// Intact and proven to be ours.
    package var isProven: Bool { isGood && (signature.isValid || publicSignature.isValid) }
}
