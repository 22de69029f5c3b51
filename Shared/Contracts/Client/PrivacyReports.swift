package import Domain

/// What `aragora privacy` writes: one JSON object a line, so that any amount can be written and read in little memory.
package enum PrivacyReports {
    /// The version of the lines.
    static let version = 1

    // MARK: Export

    /// The first line.
    package static func exportStart(of kind: String, _ name: String, at: Timestamp) -> JSONValue {
        [
            "kind": "export", "version": .int(Int64(version)), "subject": .string(kind), "name": .string(name),
            "exported_at": .string(at.iso8601),
        ]
    }

    /// A debate, before what belongs to it.
    /// - Parameter createdBy: the principal.
    package static func debate(
        _ body: DebateBody, createdBy: String, user: String?, organization: String?, spec: [UInt8]
    ) -> JSONValue {
        [
            "kind": "debate", "debate": body.json, "created_by": .string(createdBy), "user_id": .optional(user),
            "org_id": .optional(organization), "spec": .encoded(spec),
        ]
    }

    /// An event of the debate before, as everybody gets it.
    package static func event(_ event: SealedEvent, of debate: DebateID) -> JSONValue {
        [
            "kind": "event", "debate_id": .string(debate.text),
            "event": .encoded(EventEnvelope.encode(event, debateID: debate)),
        ]
    }

    /// What the subject did in somebody else's debate.
    package static func remark(_ event: SealedEvent, of debate: DebateID) -> JSONValue {
        [
            "kind": "remark", "debate_id": .string(debate.text),
            "event": .encoded(EventEnvelope.encode(event, debateID: debate)),
        ]
    }

    package static func receipt(_ receipt: StoredReceipt) -> JSONValue {
        ["kind": "receipt", "debate_id": .string(receipt.debate.text), "receipt": .encoded(receipt.document)]
    }

    /// One attempt of a call to a model.
    package static func call(
        _ call: CallReference, of debate: DebateID, agent: String, state: String, provider: String, model: String,
        usage: Usage, createdAt: Timestamp, settledAt: Timestamp?
    ) -> JSONValue {
        [
            "kind": "call", "debate_id": .string(debate.text), "call_key": .string(call.key.text),
            "attempt": .int(Int64(call.attempt)), "agent": .string(agent), "state": .string(state),
            "provider": .string(provider), "model": .string(model), "input_tokens": .int(Int64(usage.inputTokens)),
            "output_tokens": .int(Int64(usage.outputTokens)), "cost_micro_usd": .int(usage.cost.amount),
            "created_at": .string(createdAt.iso8601), "settled_at": .optional(settledAt?.iso8601),
        ]
    }

    /// A pause, a resumption or a remark that was asked for while the debate ran.
    package static func command(
        _ number: Int64, of debate: DebateID, kind: String, content: String?, author: String, createdAt: Timestamp
    ) -> JSONValue {
        [
            "kind": "command", "debate_id": .string(debate.text), "number": .int(number), "command": .string(kind),
            "content": .optional(content), "author": .string(author), "created_at": .string(createdAt.iso8601),
        ]
    }

    /// A fact that the subject wrote down. What debates concluded is in them.
    package static func fact(
        _ id: KnowledgeID, content: String, confidence: Ratio, topics: [String], metadata: [UInt8], createdBy: String,
        createdAt: Timestamp
    ) -> JSONValue {
        [
            "kind": "fact", "id": .string(id.text), "content": .string(content), "confidence": .ratio(confidence),
            "topics": .strings(topics), "metadata": .encoded(metadata), "created_by": .string(createdBy),
            "created_at": .string(createdAt.iso8601),
        ]
    }

    /// The account of the subject, with everything that signs it in; never a secret.
    package static func account(
        _ user: UserBody, sessions: [JSONValue], keys: [AccountBody.Key],
        identities: [(issuer: String, subject: String)]
    ) -> JSONValue {
        [
            "kind": "account", "user": user.json, "sessions": .array(sessions),
            "api_keys": AccountBody.keys(keys)["keys"] ?? .null,
            "identities": .array(
                identities.map { ["issuer": .string($0.issuer), "subject": .string($0.subject)] }),
        ]
    }

    /// What the audit log says of the subject: an entry as it was hashed.
    package static func auditEntry(_ document: [UInt8]) -> JSONValue {
        ["kind": "audit_entry", "entry": .encoded(document)]
    }

    /// What became of the account.
    package static func accountErasure(_ id: UserID, outcome: String, isDryRun: Bool) -> JSONValue {
        [
            "kind": "account_erasure", "user_id": .string(id.text), "outcome": .string(outcome),
            "dry_run": .bool(isDryRun),
        ]
    }

    /// The last line: without it the file was cut short.
    package static func exportEnd(debates: Int, events: Int, receipts: Int, calls: Int, remarks: Int, facts: Int)
        -> JSONValue
    {
        [
            "kind": "end", "debates": .int(Int64(debates)), "events": .int(Int64(events)),
            "receipts": .int(Int64(receipts)), "calls": .int(Int64(calls)), "remarks": .int(Int64(remarks)),
            "facts": .int(Int64(facts)),
        ]
    }

    // MARK: Erasure

    /// What became of one debate.
    /// - Parameter scope: `debate`, or `remarks` when the rest of it is somebody else's.
    package static func erasure(
        of debate: DebateID, scope: String, outcome: String, events: Int, isDryRun: Bool
    ) -> JSONValue {
        [
            "kind": "erasure", "debate_id": .string(debate.text), "scope": .string(scope),
            "outcome": .string(outcome), "events": .int(Int64(events)), "dry_run": .bool(isDryRun),
        ]
    }

    /// The last line.
    package static func erasureEnd(erased: Int, remaining: Int, isDryRun: Bool, at: Timestamp) -> JSONValue {
        [
            "kind": "end", "erased": .int(Int64(erased)), "remaining": .int(Int64(remaining)),
            "dry_run": .bool(isDryRun), "at": .string(at.iso8601),
        ]
    }
}
