package import Domain

/// A decision receipt as JSON (contract §5): what was asked, who took part, what was decided and how surely, the dissent,
/// the cost, and the hash of the log that all of it follows from.
///
/// Checksum and signature cover the canonical JSON of everything but ``uncovered``.
package struct ReceiptDocument: Sendable, Equatable {
    package static let schemaVersion = "1.1"
    /// Receipts of this version have one signature, and can only be redacted by sealing them anew.
    package static let firstVersion = "1.0"
    /// The largest receipt that is read, in bytes.
    package static let maximumBytes = 1 << 20
    /// Members that checksum and signature do not cover.
    package static let uncovered = ["checksum", "signature", "signature_metadata", "verification"]
    package static let algorithm = "HMAC-SHA256"
    package static let publicAlgorithm = "Ed25519"

    /// The members, in any order.
    package internal(set) var object: JSONObject

    init(object: JSONObject) { self.object = object }

    /// The bytes that checksum and signature cover.
    package var coveredBytes: [UInt8] {
        var covered = object
        for key in Self.uncovered { covered[key] = nil }
        return CanonicalJSON.encode(covered)
    }

    /// The whole receipt in canonical form: what is stored, served and saved to a file.
    package var bytes: [UInt8] { CanonicalJSON.encode(object) }

    /// Whether its texts were taken out.
    package var isErased: Bool { object["erased"]?.bool == true || isRedacted }
    package var schema: String? { object["schema_version"]?.string }
    package var checksum: String? { object["checksum"]?.string }
    /// Of the whole receipt, in one whose texts were taken out.
    package var originalChecksum: String? { object["original_checksum"]?.string }
    package var signature: String? { object["signature"]?.string }
    package var keyID: String? { object["signature_metadata"]?["key_id"]?.string }
    package var signatureAlgorithm: String? { object["signature_metadata"]?["algorithm"]?.string }
    package var signedAt: String? { object["signature_metadata"]?["timestamp"]?.string }
    package var receiptID: ReceiptID? { object["receipt_id"]?.string.flatMap { ReceiptID($0) } }
    package var debateID: DebateID? { object["debate_id"]?.string.flatMap { DebateID($0) } }
    package var verdict: Verdict? { object["verdict"]?.string.flatMap { Verdict(rawValue: $0) } }
    package var confidence: Ratio? { object["confidence"]?.double.map { Ratio($0) } }
    /// How many events of the log it covers.
    package var eventCount: Int64? { object["event_count"]?.int }
    /// The hash of the last of these events, 32 bytes.
    package var headHash: [UInt8]? { object["head_hash"]?.string.flatMap { HexText.decode($0, length: 32) } }
    /// 16 bytes; nil when its texts were taken out, and in receipts of the first version.
    package var salt: [UInt8]? { object["salt"]?.string.flatMap { HexText.decode($0, length: 16) } }
    package var previousChecksum: String? { object["previous_receipt_hash"]?.string }
    /// 32 bytes; see ``ReceiptFacts/eventsRoot``. Nil in receipts of the first version.
    package var eventsRoot: [UInt8]? { object["events_root"]?.string.flatMap { HexText.decode($0, length: 32) } }
    /// 32 bytes; see ``ReceiptFacts/transcriptHash``.
    package var transcriptHash: [UInt8]? {
        object["transcript_hash"]?.string.flatMap { HexText.decode($0, length: 32) }
    }

    /// Reads a receipt from a file or a row: the object itself, or under `receipt` in another one.
    ///
    /// Spaces and the order of members do not matter.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> ReceiptDocument {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw ContractError(.malformed, "receipt: \(error)")
        }
        return try ReceiptDocument(value["receipt"] ?? value)
    }

    /// Reads a receipt that is part of a larger document.
    package init(_ value: JSONValue) throws(ContractError) {
        self.init(object: value.object ?? JSONObject())
        guard receiptID != nil, debateID != nil else {
            throw ContractError(.malformed, "this is no receipt: it has no receipt_id and debate_id")
        }
    }
}

extension ReceiptDocument {
    /// The receipt of an outcome, without checksum and signature.
    package init(_ facts: ReceiptFacts) {
        let outcome = facts.outcome
        var object = JSONObject([
            ("schema_version", .string(Self.schemaVersion)), ("receipt_id", .string(facts.receiptID.text)),
            ("debate_id", .string(facts.debateID.text)), ("gauntlet_id", .string("debate-\(facts.debateID.text)")),
            ("timestamp", .string(facts.at.iso8601)), ("created_at", .int(facts.at.milliseconds / 1000)),
            ("status", .string(outcome.status.rawValue)), ("reason", .optional(outcome.reason)),
            ("engine_version", .int(Int64(outcome.engineVersion.number))), ("demo", .bool(outcome.isDemo)),
            ("previous_receipt_hash", .optional(facts.previousChecksum)),
            ("salt", hex(facts.salt)),
        ])
        let parts = [question(facts), decision(facts), particulars(outcome), participation(outcome), log(facts)]
        for (key, value) in parts.joined() { object.append(key, value) }
        self.init(object: object)
    }
}

private func question(_ facts: ReceiptFacts) -> [(String, JSONValue)] {
    let topic = facts.outcome.spec.topic
    let summary = String(String.UnicodeScalarView(topic.unicodeScalars.prefix(ReceiptFacts.summaryCharacters)))
    return [("input_summary", .string(summary)), ("input_hash", hex(facts.inputHash))]
}

private func decision(_ facts: ReceiptFacts) -> [(String, JSONValue)] {
    let outcome = facts.outcome
    return [
        ("verdict", .string(outcome.verdict.rawValue)), ("confidence", .ratio(outcome.confidence)),
        ("risk_level", .string(outcome.verdict.riskLevel)),
        ("risk_score", .ratio(Ratio(tenThousandths: 10_000 - outcome.confidence.tenThousandths))),
        ("robustness_score", .ratio(robustness(outcome))), ("final_answer", .optional(outcome.result)),
        ("final_answer_hash", facts.finalAnswerHash.map(hex) ?? .null),
        ("consensus_reached", .bool(outcome.consensusReached)),
        (
            "consensus",
            [
                "mode": .string(outcome.spec.consensus.rawValue), "reached": .bool(outcome.consensusReached),
                "threshold": .ratio(outcome.spec.threshold),
                "agreement": .ratio(outcome.consensus?.agreement ?? .zero),
                "winner": .optional(outcome.consensus?.winner),
                "votes": .array(outcome.votes.map(vote)),
            ]
        ),
        ("dissenting_views", .array((outcome.consensus?.dissenting ?? []).map(EventCodec.json(of:)))),
    ]
}

/// What only some debates have.
private func particulars(_ outcome: DebateOutcome) -> [(String, JSONValue)] {
    var fields: [(String, JSONValue)] = []
    if let insight = outcome.insight { fields.append(("insight", InsightCodec.json(of: insight))) }
    if !outcome.knowledge.isEmpty {
        fields.append(("knowledge", .array(outcome.knowledge.map(EventCodec.json(of:)))))
    }
    if let judgement = outcome.consensus?.judgement {
        fields.append(
            ("judgement", ["judge": .optional(judgement.judge), "dissent": .optional(judgement.dissent)]))
    }
    return fields
}

private func participation(_ outcome: DebateOutcome) -> [(String, JSONValue)] {
    [
        ("agents_involved", .array(outcome.participants.map(participant))),
        ("rounds_completed", .int(Int64(outcome.roundsUsed))),
        (
            "cost",
            [
                "micro_usd": .int(outcome.usage.cost.amount), "input_tokens": .int(Int64(outcome.usage.inputTokens)),
                "output_tokens": .int(Int64(outcome.usage.outputTokens)),
                // A model without a known price was taken for as dear as the dearest that has one.
                "price_assumed": .bool(outcome.usage.isPriceAssumed),
            ]
        ),
        ("unknown_calls", .int(Int64(outcome.unknownCalls))),
    ]
}

private func log(_ facts: ReceiptFacts) -> [(String, JSONValue)] {
    [
        ("duration_seconds", .ratio(facts.outcome.duration(at: facts.at))), ("event_count", .int(facts.head.seq)),
        ("head_hash", hex(facts.head.hash)), ("events_root", hex(facts.eventsRoot)),
        ("transcript_hash", hex(facts.transcriptHash)),
    ]
}

/// The agreement, times the share of the panel that stayed to the end.
private func robustness(_ outcome: DebateOutcome) -> Ratio {
    let stayed = Ratio(outcome.participants.count { $0.failure == nil }, of: outcome.participants.count)
    return Ratio((outcome.consensus?.agreement ?? .zero).value * stayed.value)
}

private func participant(_ participant: DebateOutcome.Participant) -> JSONValue {
    [
        "name": .string(participant.agent.name), "provider": .string(participant.agent.provider.rawValue),
        "model": .string(participant.agent.model), "role": .string(participant.agent.role.rawValue),
        "failure": .optional(participant.failure?.kind.rawValue),
    ]
}

private func vote(_ vote: Vote) -> JSONValue {
    [
        "agent": .string(vote.agent), "choice": .optional(vote.choice), "confidence": .ratio(vote.confidence),
        "reasoning": .string(vote.reasoning), "round": .int(Int64(vote.round)),
    ]
}

private func hex(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: HexText.encode(bytes), as: UTF8.self)) }
