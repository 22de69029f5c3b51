import Contracts
import Crypto
import Domain
import Ledger
import TestSupport
import Testing

@Suite("Receipts")
struct ReceiptTests {
    private func ring(_ current: String = "00112233445566778899aabbccddeeff", previous: String = "") throws -> KeyRing {
        try KeyRing(current: current, previous: previous)
    }

    @Test("a whole debate has the golden log and the golden receipt, which Python checks too")
    func golden() throws {
        let debate = try FinishedDebate(keys: ring())
        try Golden.check(
            "debate_log.jsonl", is: debate.events.map { EventEnvelope.encode($0, debateID: SampleDebate.id) })
        try Golden.check("receipt.json", is: [debate.receipt.document])
    }

    @Test("verifies from its bytes alone, however they are laid out, and with the log")
    func verifies() throws {
        let debate = try FinishedDebate(keys: ring())
        let verifier = ReceiptVerifier(keys: try ring())
        let result = try verifier.verify(debate.receipt.document, events: debate.events)
        #expect(result.isProven)
        #expect(result.chain == .valid)
        #expect(result.signature == .valid(keyID: try ring().current.id, isCurrent: true))
        #expect(result.storedChecksum == debate.receipt.checksum)
        #expect(result.receiptID == SampleDebate.receiptID)
        #expect(result.debateID == SampleDebate.id)
        let value = try JSONParser.parse(debate.receipt.document)
        let reversed = JSONObject((value.object?.members ?? []).reversed().map { ($0.key, $0.value) })
        let wrapped = JSONValue.object(JSONObject([("receipt", .object(reversed))])).bytes
        #expect(try verifier.verify(wrapped).isProven)
    }

    @Test("says what contract §5 names")
    func fields() throws {
        let debate = try FinishedDebate(keys: ring())
        let receipt = try JSONParser.parse(debate.receipt.document)
        for field in [
            "receipt_id", "schema_version", "debate_id", "timestamp", "input_summary", "input_hash", "verdict",
            "confidence",
            "risk_level", "risk_score", "robustness_score", "agents_involved", "rounds_completed", "duration_seconds",
            "final_answer", "final_answer_hash", "consensus", "dissenting_views", "transcript_hash", "cost",
            "previous_receipt_hash", "checksum", "signature", "signature_metadata", "event_count", "head_hash",
            "unknown_calls", "events_root", "salt", "verification",
            "demo", "gauntlet_id",
        ] { #expect(receipt[field] != nil, "\(field)") }
        #expect(receipt["demo"] == true)
        #expect(receipt["event_count"]?.int == Int64(debate.events.count - 2))
        #expect(receipt["head_hash"]?.string == Hex.encode(debate.events[debate.events.count - 3].hash))
        #expect(receipt["cost"]?["micro_usd"]?.int == debate.outcome.usage.cost.amount)
        #expect(receipt["consensus"]?["votes"]?.array?.count == 3)
        #expect(receipt["verdict"] == .string(debate.outcome.verdict.rawValue))
    }

    @Test("the same arguments give the same bytes, and the log names the checksum")
    func deterministic() throws {
        let (one, two) = (try FinishedDebate(keys: ring()), try FinishedDebate(keys: ring()))
        #expect(one.receipt == two.receipt)
        let named = one.events[one.events.count - 2]
        #expect(try EventCodec.decode(named) == .receiptGenerated(one.receipt.summary))
    }

    @Test("an erased receipt has no text, verifies by itself and beside an erased log, and names what it was")
    func erased() throws {
        let debate = try FinishedDebate(keys: ring())
        let time = Timestamp(milliseconds: 1_800_000_000_000)
        let erased = try ReceiptIssuer.erase(debate.receipt, at: time, keys: try ring())
        #expect(try ReceiptIssuer.erase(debate.receipt, at: time, keys: try ring()) == erased)
        let text = String(decoding: erased.document, as: UTF8.self)
        let before = try JSONParser.parse(debate.receipt.document)
        let original = String(decoding: debate.receipt.document, as: UTF8.self)
        #expect(original.contains("It is clear") && original.contains("boring"), "the test looks for nothing")
        #expect(!text.contains("It is clear") && !text.contains("boring"))
        let value = try JSONParser.parse(erased.document)
        for gone in ["input_summary", "input_hash", "final_answer", "final_answer_hash"] {
            #expect(before[gone]?.isNull == false && value[gone]?.isNull == true, "\(gone)")
        }
        for kept in ["receipt_id", "verdict", "confidence", "cost", "event_count", "head_hash", "transcript_hash"] {
            #expect(value[kept] == before[kept], "\(kept)")
        }
        #expect(value["redacted"] == true && value["salt"]?.isNull == true)
        #expect(value["original_checksum"]?.string == debate.receipt.checksum)

        let log = debate.events.map { event in
            SealedEvent(
                seq: event.seq, type: event.type, round: event.round, agent: event.agent, at: event.at,
                epoch: event.epoch, data: [], salt: [], dataHash: event.dataHash, prevHash: event.prevHash,
                hash: event.hash, call: event.call)
        }
        let found = try ReceiptVerifier(keys: try ring()).verify(erased.document, events: log)
        #expect(found.isProven && found.chain == .valid && found.isErased)
        #expect(found.storedChecksum == erased.checksum && erased.checksum != debate.receipt.checksum)
        #expect(try ReceiptIssuer.erase(debate.receipt, at: time, keys: nil) == erased, "it takes no key")
        // To say "redacted" of a receipt that was changed takes the key.
        var changed = try #require(before.object)
        changed["verdict"] = "NEEDS_REVIEW"
        let forged = try #require(ReceiptIssuer.redact(try ReceiptDocument(.object(changed))))
        #expect(try !ReceiptVerifier(keys: try ring()).verify(forged.bytes, events: log).isGood)
        let unsigned = try ReceiptIssuer.erase(try FinishedDebate(keys: nil).receipt, at: time, keys: nil)
        #expect(try ReceiptVerifier(keys: nil).verify(unsigned.document).signature == .unsigned)
    }

    @Test("every covered member is covered: a change of any is found")
    func tampering() throws {
        let debate = try FinishedDebate(keys: ring())
        let object = try #require(try JSONParser.parse(debate.receipt.document).object)
        let verifier = ReceiptVerifier(keys: try ring())
        for member in object.members
        where !(ReceiptDocument.uncovered + ["receipt_id", "debate_id"]).contains(member.key) {
            var changed = object
            changed[member.key] = member.value == "changed" ? "other" : "changed"
            let result = try verifier.verify(CanonicalJSON.encode(changed))
            #expect(!result.isIntact, "\(member.key)")
            #expect(result.signature == .invalid, "\(member.key)")
            changed[member.key] = nil
            #expect(!(try verifier.verify(CanonicalJSON.encode(changed)).isGood), "\(member.key)")
        }
        var extended = object
        extended["added"] = 1
        #expect(!(try verifier.verify(CanonicalJSON.encode(extended)).isGood))
    }

    @Test("a recomputed checksum does not save a changed receipt from its signature")
    func recomputed() throws {
        let debate = try FinishedDebate(keys: ring())
        var object = try #require(try JSONParser.parse(debate.receipt.document).object)
        object["final_answer"] = "MongoDB"
        let covered = object.removing("checksum", "signature", "signature_metadata", "verification")
        object["checksum"] = .string(Hex.encode(SHA256.hash(CanonicalJSON.encode(covered))))
        let result = try ReceiptVerifier(keys: try ring()).verify(CanonicalJSON.encode(object))
        #expect(result.isIntact)
        #expect(!result.isGood)
    }

    @Test("a key that was changed still verifies what it signed; a stranger's does not")
    func rotation() throws {
        let receipt = try FinishedDebate(keys: ring()).receipt.document
        let old = try ring().current.id
        func signature(_ keys: KeyRing?) throws -> ReceiptVerification.Signature {
            try ReceiptVerifier(keys: keys).verify(receipt).signature
        }
        #expect(
            try signature(ring("new", previous: "00112233445566778899aabbccddeeff"))
                == .valid(keyID: old, isCurrent: false))
        #expect(try signature(ring("new")) == .unknownKey(old))
        #expect(try signature(nil) == .noKey)
    }

    @Test("an unsigned receipt is intact but not proven; half a signature is none")
    func unsigned() throws {
        let receipt = try FinishedDebate(keys: nil).receipt
        let verifier = ReceiptVerifier(keys: try ring())
        let result = try verifier.verify(receipt.document)
        #expect(!receipt.isSigned)
        #expect(result.signature == .unsigned)
        #expect(result.isGood)
        #expect(!result.isProven)
        var object = try #require(try JSONParser.parse(FinishedDebate(keys: ring()).receipt.document).object)
        object["signature"] = nil
        #expect(try verifier.verify(CanonicalJSON.encode(object)).signature == .invalid)
        object["signature"] = "not base 64"
        #expect(try verifier.verify(CanonicalJSON.encode(object)).signature == .invalid)
    }

    @Test("a log that is cut, changed or another is found")
    func logs() throws {
        let debate = try FinishedDebate(keys: ring())
        let verifier = ReceiptVerifier(keys: try ring())
        func chain(_ events: [SealedEvent]) throws -> ReceiptVerification.Chain {
            try verifier.verify(debate.receipt.document, events: events).chain
        }
        let covered = debate.events.count - 2
        #expect(try chain(Array(debate.events[..<covered])) == .valid)
        #expect(
            try chain(Array(debate.events[..<(covered - 1)]))
                == .different("the log has \(covered - 1) of the \(covered) events that the receipt covers"))
        #expect(try chain([]) == .different("the log has 0 of the \(covered) events that the receipt covers"))
        #expect(
            try chain(Array(debate.events.dropFirst()))
                == .broken(ChainFault(seq: 2, reason: .wrongNumber(expected: 1))))
        var other = EventChain(debateID: SampleDebate.id)
        let forged = (0..<covered).map { _ in
            other.seal(
                .debatePaused(by: "x"), at: SampleDebate.startedAt, epoch: 0, salt: Array(repeating: 0, count: 16))
        }
        #expect(try chain(forged) == .different("the log ends in another hash"))
    }

    @Test(
        "what is no receipt is refused",
        arguments: ["", "{}", "[]", "{\"receipt\":1}", "{\"receipt_id\":\"x\",\"debate_id\":\"y\"}"])
    func noReceipt(text: String) throws {
        #expect(throws: ContractError.self) { try ReceiptVerifier(keys: nil).verify(Array(text.utf8)) }
    }
}
