package import Contracts
package import Crypto
package import Domain

/// Makes the receipt of a debate that is over.
package enum ReceiptIssuer {
    /// The receipt, with its checksum, signed when there is a key.
    ///
    /// The same arguments give the same bytes.
    /// - Parameters:
    ///   - head: the log's last event, n−1: what the receipt covers.
    ///   - transcript: of all events up to `head`.
    ///   - at: the time of `receipt_generated`, event n.
    package static func issue(
        id: ReceiptID, debateID: DebateID, outcome: DebateOutcome, head: LogTail, transcript: Transcript, at: Timestamp,
        keys: KeyRing?
    ) -> StoredReceipt {
        let facts = ReceiptFacts(
            receiptID: id, debateID: debateID, outcome: outcome, at: at, head: head, transcriptHash: transcript.hash,
            inputHash: SHA256.hash(outcome.spec.topic), finalAnswerHash: outcome.result.map { SHA256.hash($0) })
        var document = ReceiptDocument(facts)
        let covered = document.coveredBytes
        let checksum = Hex.encode(SHA256.hash(covered))
        document.seal(checksum: checksum)
        if let keys { document.sign(Base64.encode(keys.sign(covered)), keyID: keys.current.id, at: at) }
        return StoredReceipt(
            id: id, debate: debateID, document: document.bytes, verdict: outcome.verdict,
            confidence: outcome.confidence,
            checksum: checksum, isSigned: keys != nil, createdAt: at)
    }

    /// The same receipt without what people and models said, with a checksum and a signature of its own: a new statement
    /// of ours, about the same decision at the same place in the log.
    /// - Throws: `ContractError` when what is stored is no receipt.
    package static func erase(
        _ receipt: StoredReceipt, at time: Timestamp, keys: KeyRing?
    ) throws(ContractError) -> StoredReceipt {
        var document = try ReceiptDocument.parse(receipt.document)
        document.eraseTexts(at: time)
        let covered = document.coveredBytes
        let checksum = Hex.encode(SHA256.hash(covered))
        document.seal(checksum: checksum)
        if let keys { document.sign(Base64.encode(keys.sign(covered)), keyID: keys.current.id, at: time) }
        return StoredReceipt(
            id: receipt.id, debate: receipt.debate, document: document.bytes, verdict: receipt.verdict,
            confidence: receipt.confidence, checksum: checksum, isSigned: keys != nil, createdAt: receipt.createdAt)
    }
}

extension StoredReceipt {
    /// What the log says of the receipt, in `receipt_generated`.
    package var summary: ReceiptSummary {
        ReceiptSummary(id: id, verdict: verdict, confidence: confidence, checksum: checksum)
    }
}
