package import Contracts
package import Crypto
package import Domain

/// Checks a receipt from its bytes alone; with the events of its debate, the log too.
package struct ReceiptVerifier: Sendable {
    private let keys: KeyRing?

    /// - Parameter keys: nil to check only what needs no secret.
    package init(keys: KeyRing?) { self.keys = keys }

    /// Checks checksum and signature; with `events`, all of the debate's from number 1 on, also the chain.
    ///
    /// - Parameter events: later ones than the receipt covers are not looked at.
    /// - Throws: `ContractError` when the bytes are no receipt at all.
    package func verify(
        _ bytes: [UInt8], events: (some Sequence<SealedEvent>)? = [SealedEvent]?.none
    ) throws(ContractError) -> ReceiptVerification {
        let document = try ReceiptDocument.parse(bytes)
        guard let receiptID = document.receiptID, let debateID = document.debateID else {
            throw ContractError(.malformed, "this is no receipt")
        }
        let covered = document.coveredBytes
        return ReceiptVerification(
            receiptID: receiptID, debateID: debateID, storedChecksum: document.checksum ?? "",
            computedChecksum: Hex.encode(SHA256.hash(covered)), signature: signature(of: document, covered),
            signedAt: document.signedAt, chain: events.map { chain(of: document, debateID, $0) } ?? .notChecked,
            isErased: document.isErased)
    }

    private func signature(of document: ReceiptDocument, _ covered: [UInt8]) -> ReceiptVerification.Signature {
        guard let text = document.signature else { return document.keyID == nil ? .unsigned : .invalid }
        guard document.signatureAlgorithm == ReceiptDocument.algorithm, let keyID = document.keyID,
            let signature = Base64.decode(text)
        else { return .invalid }
        guard let keys else { return .noKey }
        if let key = keys.verify(signature, of: covered) {
            return key.id == keyID ? .valid(keyID: key.id, isCurrent: key.id == keys.current.id) : .invalid
        }
        return keys.key(named: keyID) == nil ? .unknownKey(keyID) : .invalid
    }

    private func chain(
        of document: ReceiptDocument, _ debateID: DebateID, _ events: some Sequence<SealedEvent>
    ) -> ReceiptVerification.Chain {
        guard let count = document.eventCount, count > 0 else { return .different("the receipt names no events") }
        var verifier = ChainVerifier(debateID: debateID)
        var transcript = Transcript()
        for event in events where event.seq <= count {
            do throws(ChainFault) {
                try verifier.feed(event)
            } catch {
                return .broken(error)
            }
            transcript.add(event)
        }
        guard verifier.tail.seq == count else {
            return .different("the log has \(verifier.tail.seq) of the \(count) events that the receipt covers")
        }
        guard verifier.tail.hash == document.headHash else { return .different("the log ends in another hash") }
        guard transcript.hash == document.transcriptHash else { return .different("the transcript is another") }
        return .valid
    }
}
