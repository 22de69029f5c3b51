/// The signatures of a receipt, and of its redacted form. None of them is covered by another, so each has one form only:
/// a receipt in which any byte of them differs is not accepted.
package struct ReceiptSeals: Sendable, Equatable {
    /// One document's signatures, base 64 with padding.
    package struct Pair: Sendable, Equatable {
        package let secret: String
        package let open: String

        package init(secret: String, open: String) {
            self.secret = secret
            self.open = open
        }
    }

    /// What the secret key is called.
    package let keyID: String
    /// What the pair of keys is called; nil in receipts of the first version.
    package let publicKeyID: String?
    package let own: Pair
    /// Of the redacted form; nil when the document is that form, or has none.
    package let redacted: Pair?

    package init(keyID: String, publicKeyID: String?, own: Pair, redacted: Pair?) {
        self.keyID = keyID
        self.publicKeyID = publicKeyID
        self.own = own
        self.redacted = redacted
    }
}

extension ReceiptDocument {
    /// What the document says of its signatures.
    package enum Sealing: Sendable, Equatable {
        case unsigned
        case signed(ReceiptSeals)
        /// Of a form that we never write.
        case invalid
    }

    /// The time of its making, or, of an erased receipt of the first version, of its erasure: when it was signed.
    package var sealedAt: String? { (object["erased_at"] ?? object["timestamp"])?.string }

    /// Adds the checksum, lower-case hex.
    package mutating func seal(checksum: String) { object["checksum"] = .string(checksum) }

    /// Adds signatures.
    package mutating func sign(_ seals: ReceiptSeals) {
        object["signature"] = .string(seals.own.secret)
        object["signature_metadata"] = metadata(seals)
        object["verification"] = Self.verification(seals)
    }

    /// Its signatures, if they have exactly the form in which ``sign(_:)`` writes them.
    package var sealing: Sealing {
        let members = ["signature", "signature_metadata", "verification"]
        guard members.contains(where: { object[$0] != nil }) else { return .unsigned }
        guard let signature = object["signature"]?.string, let keyID = keyID else { return .invalid }
        let publicPart = object["verification"]
        let redacted = publicPart?["redacted"].map { part in
            ReceiptSeals.Pair(secret: part["signature"]?.string ?? "", open: part["ed25519"]?.string ?? "")
        }
        let seals = ReceiptSeals(
            keyID: keyID, publicKeyID: publicPart?["ed25519"]?["key_id"]?.string,
            own: .init(secret: signature, open: publicPart?["ed25519"]?["signature"]?.string ?? ""), redacted: redacted)
        guard object["signature_metadata"] == metadata(seals), publicPart == Self.verification(seals) else {
            return .invalid
        }
        // A receipt can not lose a signature by claiming to be older: the version is covered.
        let isWhole = schema != Self.schemaVersion || (seals.publicKeyID != nil && (redacted != nil) == isRedactable)
        return isWhole ? .signed(seals) : .invalid
    }

    private func metadata(_ seals: ReceiptSeals) -> JSONValue {
        [
            "algorithm": .string(Self.algorithm), "key_id": .string(seals.keyID), "timestamp": .optional(sealedAt),
            "version": "1.0",
        ]
    }

    private static func verification(_ seals: ReceiptSeals) -> JSONValue? {
        guard let keyID = seals.publicKeyID else { return nil }
        var object = JSONObject([
            (
                "ed25519",
                [
                    "algorithm": .string(publicAlgorithm), "key_id": .string(keyID),
                    "signature": .string(seals.own.open),
                ]
            )
        ])
        if let redacted = seals.redacted {
            object.append(
                "redacted", ["ed25519": .string(redacted.open), "signature": .string(redacted.secret)])
        }
        return .object(object)
    }
}
