package import Contracts
package import Crypto
package import Domain

/// Makes the receipt of a debate that is over.
package enum ReceiptIssuer {
    /// Bytes of ``ReceiptFacts/salt``.
    package static let saltLength = 16

    /// The receipt, with its checksum; signed, and so is its redacted form, when there are keys.
    ///
    /// The same arguments give the same bytes.
    /// - Parameters:
    ///   - head: the log's last event, n−1: what the receipt covers.
    ///   - transcript: of all events up to `head`.
    ///   - at: the time of `receipt_generated`, event n.
    ///   - previous: the checksum of a receipt that is in the receipt log already.
    ///   - salt: 16 random bytes, never used before.
    package static func issue(
        id: ReceiptID, debateID: DebateID, outcome: DebateOutcome, head: LogTail, transcript: Transcript, at: Timestamp,
        previous: String? = nil, salt: [UInt8], keys: KeyRing?
    ) -> StoredReceipt {
        precondition(salt.count == saltLength, "a salt has 16 bytes")
        let facts = ReceiptFacts(
            receiptID: id, debateID: debateID, outcome: outcome, at: at, head: head,
            eventsRoot: transcript.eventsRoot, transcriptHash: transcript.hash,
            inputHash: SHA256.hash(outcome.spec.topic), finalAnswerHash: outcome.result.map { SHA256.hash($0) },
            previousChecksum: previous, salt: salt)
        var document = ReceiptDocument(facts)
        let covered = document.coveredBytes
        let checksum = document.seal()
        let redacted = document.redacted().coveredBytes
        if let keys {
            document.sign(
                ReceiptSeals(
                    keyID: keys.current.id, publicKeyID: keys.pairs.current.publicKey.id,
                    own: keys.seal(covered), redacted: keys.seal(redacted)))
        }
        return StoredReceipt(
            id: id, debate: debateID, document: document.bytes, verdict: outcome.verdict,
            confidence: outcome.confidence, checksum: checksum,
            redactedChecksum: Hex.encode(SHA256.hash(redacted)), isSigned: keys != nil, createdAt: at)
    }

    /// The receipt without what people and models said, as it was signed when it was issued: it takes no key.
    /// - Returns: nil for a receipt of the first version, or one that is redacted already.
    package static func redact(_ document: ReceiptDocument) -> ReceiptDocument? {
        guard document.isRedactable else { return nil }
        var redacted = document.redacted()
        _ = redacted.seal()
        switch document.sealing {
        case .unsigned: return redacted
        case .invalid: return nil
        case .signed(let seals):
            guard let own = seals.redacted else { return nil }
            redacted.sign(ReceiptSeals(keyID: seals.keyID, publicKeyID: seals.publicKeyID, own: own, redacted: nil))
            return redacted
        }
    }

    /// The receipt for a debate whose texts are erased: the redacted form, or, of a receipt of the first version, one with
    /// a checksum and a signature of its own: a new statement of ours, about the same decision at the same place in the log.
    /// - Parameter keys: needed for signed receipts of the first version only.
    /// - Throws: `ContractError` when what is stored is no receipt.
    package static func erase(
        _ receipt: StoredReceipt, at time: Timestamp, keys: KeyRing?
    ) throws(ContractError) -> StoredReceipt {
        let stored = try ReceiptDocument.parse(receipt.document)
        if let redacted = redact(stored) {
            return receipt.replaced(by: redacted, isSigned: receipt.isSigned)
        }
        var document = stored.erased(at: time)
        let covered = document.coveredBytes
        _ = document.seal()
        if let keys {
            document.sign(
                ReceiptSeals(
                    keyID: keys.current.id, publicKeyID: nil,
                    own: .init(secret: Base64.encode(keys.sign(covered)), open: ""), redacted: nil))
        }
        return receipt.replaced(by: document, isSigned: keys != nil)
    }
}

extension ReceiptDocument {
    /// Adds the checksum of what is covered, and gives it back.
    fileprivate mutating func seal() -> String {
        let checksum = Hex.encode(SHA256.hash(coveredBytes))
        seal(checksum: checksum)
        return checksum
    }
}

extension KeyRing {
    fileprivate func seal(_ covered: [UInt8]) -> ReceiptSeals.Pair {
        .init(secret: Base64.encode(sign(covered)), open: Base64.encode(pairs.current.sign(covered)))
    }
}

extension StoredReceipt {
    /// What the log says of the receipt, in `receipt_generated`.
    package var summary: ReceiptSummary {
        ReceiptSummary(id: id, verdict: verdict, confidence: confidence, checksum: checksum)
    }

    fileprivate func replaced(by document: ReceiptDocument, isSigned: Bool) -> StoredReceipt {
        StoredReceipt(
            id: id, debate: debate, document: document.bytes, verdict: verdict, confidence: confidence,
            checksum: document.checksum ?? "", redactedChecksum: redactedChecksum, isSigned: isSigned,
            createdAt: createdAt)
    }
}
