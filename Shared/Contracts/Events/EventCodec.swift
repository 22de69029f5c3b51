package import Domain

/// The `data` of events: canonical JSON with the field names that the official clients read (contract §3.2), which say
/// some things twice. Written once; hashed, stored and sent as it is.
package enum EventCodec {
    /// The largest `data`, in bytes. Whoever makes an event keeps its texts below what could exceed this.
    package static let maximumBytes = 256 * 1024

    /// The canonical bytes of an event's data.
    package static func encode(_ event: DebateEvent, debateID: DebateID) -> [UInt8] {
        var object = fields(of: event)
        object.append("debate_id", .string(debateID.text))
        return CanonicalJSON.encode(object)
    }

    /// Reads an event back. Fields that we do not know are ignored.
    ///
    /// - Throws: ``ContractError`` `.malformed` for a field that is missing or of another type, `.unknownVersion` for a
    ///   type of event that this program does not know.
    package static func decode(type: String, data: [UInt8]) throws(ContractError) -> DebateEvent {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(data, maximumBytes: maximumBytes)
        } catch {
            throw ContractError(.malformed, "\(type): \(error)")
        }
        guard let object = value.object else { throw ContractError(.malformed, "\(type): data is no object") }
        return try decode(EventFields(type: type, object: object))
    }

    /// Reads an event of the log back.
    package static func decode(_ event: SealedEvent) throws(ContractError) -> DebateEvent {
        try decode(type: event.type, data: event.data)
    }
}

extension EventCodec {
    private static func fields(of event: DebateEvent) -> JSONObject {
        switch event {
        case .debateStart(let start): fields(of: start)
        case .knowledgeRecalled(let conclusion): fields(of: conclusion)
        case .roundStart(let round, let totalRounds):
            JSONObject(roundFields(round) + [("total_rounds", .int(Int64(totalRounds)))])
        case .phaseChange(let from, let to, let round, let mode): phaseFields(from, to, round, mode)
        case .agentMessage(let statement): fields(of: statement, phase: .propose)
        case .critique(let critique): fields(of: critique)
        case .revision(let statement, let original): fields(of: statement, original: original)
        case .vote(let vote), .sealedVote(let vote): fields(of: vote)
        case .synthesis(let synthesis): fields(of: synthesis)
        case .agentError(let failure): fields(of: failure)
        case .agentFallback(let fallback): fields(of: fallback)
        case .callAbandoned(let call, let agent, let round):
            JSONObject(roundFields(round) + callFields(call) + [("agent", .string(agent))])
        case .userMessage(let author, let remark): fields(of: remark, by: author)
        case .debatePaused(let by), .debateResumed(let by): JSONObject([("by", .string(by))])
        case .earlyTerminated(let termination): fields(of: termination)
        case .budgetAlert(let alert): fields(of: alert)
        case .consensus(let result): fields(of: result)
        case .timeout(let reason): JSONObject([("reason", .string(reason)), ("message", .string(reason))])
        case .receiptGenerated(let receipt): fields(of: receipt)
        case .debateEnd(let end): fields(of: end)
        }
    }

    private static func decode(_ fields: EventFields) throws(ContractError) -> DebateEvent {
        switch fields.type {
        case "debate_start": .debateStart(try fields.debateStart())
        case "knowledge_recalled": .knowledgeRecalled(try fields.recalledConclusion())
        case "round_start": .roundStart(round: try fields.int("round"), totalRounds: try fields.int("total_rounds"))
        case "phase_change":
            .phaseChange(
                from: try fields.optionalChoice("from_phase"), to: try fields.choice("to_phase"),
                round: try fields.int("round"), mode: try fields.optionalChoice("mode"))
        case "agent_message": .agentMessage(try fields.statement())
        case "critique": .critique(try fields.critique())
        case "revision": .revision(try fields.statement(), original: try fields.text("original_content"))
        case "vote": .vote(try fields.vote())
        case "sealed_vote": .sealedVote(try fields.vote())
        case "synthesis": .synthesis(try fields.synthesis())
        case "agent_error": .agentError(try fields.agentFailure())
        case "agent_fallback_triggered": .agentFallback(try fields.agentFallback())
        case "call_abandoned":
            .callAbandoned(try fields.call(), agent: try fields.text("agent"), round: try fields.int("round"))
        case "user_message": .userMessage(author: try fields.text("author"), try fields.remark())
        case "debate_paused": .debatePaused(by: try fields.text("by"))
        case "debate_resumed": .debateResumed(by: try fields.text("by"))
        case "debate_early_terminated": .earlyTerminated(try fields.earlyTermination())
        case "budget_alert": .budgetAlert(try fields.budgetAlert())
        case "consensus": .consensus(try fields.consensus())
        case "timeout": .timeout(reason: try fields.text("reason"))
        case "receipt_generated": .receiptGenerated(try fields.receiptSummary())
        case "debate_end": .debateEnd(try fields.debateEnd())
        default: throw ContractError(.unknownVersion, "unknown event type \(fields.type.prefix(64))")
        }
    }
}
