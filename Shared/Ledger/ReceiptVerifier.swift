package import Contracts
package import Crypto
package import Domain

/// Checks a receipt from its bytes alone; with the events of its debate, the log too; with a proof, that it is in the
/// receipt log.
package struct ReceiptVerifier: Sendable {
    private let keys: VerificationKeys

    /// - Parameter keys: without any, only what needs none is checked.
    package init(_ keys: VerificationKeys) { self.keys = keys }

    /// - Parameter keys: nil to check only what needs no secret.
    package init(keys: KeyRing?) { self.init(VerificationKeys(secret: keys)) }

    /// Checks checksum and signatures; with `events`, all of the debate's from number 1 on, also the chain.
    ///
    /// - Parameter events: later ones than the receipt covers are not looked at.
    /// - Throws: `ContractError` when the bytes are no receipt at all.
    package func verify(
        _ bytes: [UInt8], events: (some Sequence<SealedEvent>)? = [SealedEvent]?.none
    ) throws(ContractError) -> ReceiptVerification {
        let document = try ReceiptDocument.parse(bytes)
        return try check(document, inclusion: .notChecked) { debateID in
            events.map { chain(of: document, debateID, $0) } ?? .notChecked
        }
    }

    /// Checks everything that a bundle holds.
    ///
    /// - Parameter trusted: a head of the receipt log that was seen before: the bundle's must be the same, or be proven to
    ///   continue it. Its own signature is checked too.
    /// - Throws: `ContractError` when there is no receipt in it.
    package func verify(
        _ bundle: ReceiptBundle, after trusted: TreeHead? = nil
    ) throws(ContractError) -> ReceiptVerification {
        let document = bundle.receipt
        let inclusion = bundle.log.map { self.inclusion(of: document, $0, after: trusted) }
        return try check(
            document, inclusion: inclusion ?? (trusted == nil ? .notChecked : .invalid("no proof is here"))
        ) { debateID in
            if let excerpts = bundle.excerpts { return self.excerpts(excerpts, of: document, debateID) }
            guard let events = bundle.events else { return .notChecked }
            guard Int64(events.count) == document.eventCount else {
                return .different("the bundle has \(events.count) events")
            }
            return chain(of: document, debateID, events)
        }
    }

    private func check(
        _ document: ReceiptDocument, inclusion: ReceiptVerification.Inclusion,
        chain: (DebateID) -> ReceiptVerification.Chain
    ) throws(ContractError) -> ReceiptVerification {
        guard let receiptID = document.receiptID, let debateID = document.debateID else {
            throw ContractError(.malformed, "this is no receipt")
        }
        let covered = document.coveredBytes
        let (secret, open) = signatures(of: document, covered)
        return ReceiptVerification(
            receiptID: receiptID, debateID: debateID, storedChecksum: document.checksum ?? "",
            computedChecksum: Hex.encode(SHA256.hash(covered)), signature: secret, publicSignature: open,
            signedAt: document.signedAt, chain: chain(debateID), inclusion: inclusion,
            isErased: document.isErased)
    }

    // MARK: Signatures

    private func signatures(
        of document: ReceiptDocument, _ covered: [UInt8]
    ) -> (secret: ReceiptVerification.Signature, open: ReceiptVerification.Signature) {
        guard case .signed(let seals) = document.sealing else {
            let found: ReceiptVerification.Signature = document.sealing == .unsigned ? .unsigned : .invalid
            return (found, found)
        }
        var secret = keys.checkSecret(seals.own.secret, keyID: seals.keyID, of: covered)
        var open = ReceiptVerification.Signature.unsigned
        if let keyID = seals.publicKeyID { open = keys.checkOpen(seals.own.open, keyID: keyID, of: covered) }
        // The signatures it keeps for its redacted form are part of the file: they have to be right as well.
        if let redacted = seals.redacted {
            let message = document.redacted().coveredBytes
            if keys.checkSecret(redacted.secret, keyID: seals.keyID, of: message) == .invalid { secret = .invalid }
            if let keyID = seals.publicKeyID,
                keys.checkOpen(redacted.open, keyID: keyID, of: message) == .invalid
            {
                open = .invalid
            }
        }
        return (secret, open)
    }

    // MARK: Events

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
        guard document.schema == ReceiptDocument.firstVersion || transcript.eventsRoot == document.eventsRoot else {
            return .different("the Merkle root of the events is another")
        }
        return .valid
    }

    private func excerpts(
        _ excerpts: [ReceiptBundle.Excerpt], of document: ReceiptDocument, _ debateID: DebateID
    ) -> ReceiptVerification.Chain {
        guard let count = document.eventCount, let root = document.eventsRoot else {
            return .different("the receipt proves no single events")
        }
        var last: Int64 = 0
        for excerpt in excerpts {
            let event = excerpt.event
            guard event.seq > last else { return .different("the excerpts are not in order") }
            last = event.seq
            let dataHash = event.isErased ? event.dataHash : EventHash.ofData(event.data, salt: event.salt)
            let header = EventHash.Header(event, debateID: debateID, dataHash: dataHash)
            guard header.hash(after: event.prevHash) == event.hash else {
                return .broken(ChainFault(seq: event.seq, reason: .wrongHash))
            }
            guard
                MerkleProof.includes(
                    leaf: MerkleTree.leaf(event.hash), index: event.seq - 1, size: count, path: excerpt.path, root: root
                )
            else { return .different("event \(event.seq) is not one that the receipt covers") }
        }
        return .validExcerpts(excerpts.count)
    }

    // MARK: The receipt log

    private func inclusion(
        of document: ReceiptDocument, _ proof: ReceiptBundle.LogProof, after trusted: TreeHead?
    ) -> ReceiptVerification.Inclusion {
        let head = proof.head
        guard let leaf = ReceiptLeaf(document),
            MerkleProof.includes(
                leaf: MerkleTree.leaf(leaf.bytes), index: proof.index, size: head.size, path: proof.inclusion,
                root: head.root)
        else { return .invalid("the proof does not lead from this receipt to the head") }
        if let problem = discontinuity(proof, after: trusted) { return .invalid(problem) }
        return .valid(index: proof.index, size: head.size, origin: head.origin, head: keys.check(head))
    }

    /// What speaks against the head being the trusted one or a later one of the same log.
    private func discontinuity(_ proof: ReceiptBundle.LogProof, after trusted: TreeHead?) -> String? {
        guard let trusted else {
            // What nothing is compared with would be a member that is not checked.
            return proof.consistency == nil ? nil : "a proof of consistency, and no head to compare with"
        }
        guard keys.check(trusted).isAcceptable else { return "the head to compare with is not signed by these keys" }
        let head = proof.head
        guard head.origin == trusted.origin else { return "the log is another one, or another life of it" }
        guard head.size >= trusted.size else {
            return "the log was rolled back: \(head.size) of \(trusted.size) leaves"
        }
        guard head.size > trusted.size || proof.consistency != nil else {
            return head.root == trusted.root ? nil : "the log has another root at the same size"
        }
        guard let consistency = proof.consistency, consistency.first == trusted.size,
            MerkleProof.extends(
                first: trusted.size, firstRoot: trusted.root, size: head.size, root: head.root,
                path: consistency.path)
        else { return "the log is not proven to continue the head it is compared with" }
        return nil
    }
}

extension ReceiptLeaf {
    /// The leaf of a receipt, from its whole form or from the redacted one; nil when it has no checksum.
    package init?(_ document: ReceiptDocument) {
        guard let receipt = document.receiptID, let checksum = document.checksum else { return nil }
        if document.isRedacted {
            guard let original = document.originalChecksum else { return nil }
            self.init(receipt: receipt, checksum: original, redactedChecksum: checksum)
        } else if document.isRedactable {
            let redacted = Hex.encode(SHA256.hash(document.redacted().coveredBytes))
            self.init(receipt: receipt, checksum: checksum, redactedChecksum: redacted)
        } else {
            self.init(receipt: receipt, checksum: document.originalChecksum ?? checksum, redactedChecksum: nil)
        }
    }
}
