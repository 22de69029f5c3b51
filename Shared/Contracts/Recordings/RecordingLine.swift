package import Domain

/// One line of a recording: a debate in a file, with everything that it can be rebuilt from. Each is a JSON object with
/// one member, but for the first, which says what the file is.
package enum RecordingLine: Sendable {
    case header(DebateID)
    /// Its envelope, as everywhere.
    case event(SealedEvent)
    case call(CallRecord)
    case command(DebateCommand)
    /// The document as it is stored.
    case receipt([UInt8])

    package static let format = "aragora-recording"
    package static let version = 1
    /// The longest line that is read, in bytes.
    package static let maximumBytes = EventEnvelope.maximumBytes * 4

    /// The line, without its end.
    package func encode(of debate: DebateID) -> [UInt8] {
        switch self {
        case .header(let id):
            CanonicalJSON.encode([
                "format": .string(Self.format), "version": .int(Int64(Self.version)), "debate_id": .string(id.text),
            ])
        case .event(let event): Self.wrap("event", EventEnvelope.encode(event, debateID: debate))
        case .call(let call): Self.wrap("call", CanonicalJSON.encode(Self.json(of: call)))
        case .command(let command): Self.wrap("command", CanonicalJSON.encode(Self.json(of: command)))
        case .receipt(let document): Self.wrap("receipt", document)
        }
    }

    private static func wrap(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        Array("{\"\(name)\":".utf8) + bytes + Array("}".utf8)
    }

    /// - Throws: ``ContractError``.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> RecordingLine {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes, maximumBytes: maximumBytes) } catch {
            throw ContractError(.malformed, "\(error)")
        }
        guard let object = value.object else { throw ContractError(.malformed, "it is no object") }
        if object["format"] != nil { return .header(try header(EventFields(type: "recording", object: object))) }
        if let event = object["event"] { return .event(try EventEnvelope.parse(event).event) }
        if let call = object["call"]?.object { return .call(try callRecord(EventFields(type: "call", object: call))) }
        if let command = object["command"]?.object {
            return .command(try debateCommand(EventFields(type: "command", object: command)))
        }
        if let receipt = object["receipt"] { return .receipt(CanonicalJSON.encode(receipt)) }
        throw ContractError(.malformed, "it is neither event nor call, command or receipt")
    }

    private static func header(_ fields: EventFields) throws(ContractError) -> DebateID {
        guard try fields.text("format") == format else { throw ContractError(.malformed, "it is no recording") }
        guard try fields.int("version") == version else {
            throw ContractError(.unknownVersion, "a recording of another version")
        }
        guard let id = DebateID(try fields.text("debate_id")) else {
            throw ContractError(.malformed, "debate_id is no id of a debate")
        }
        return id
    }

    // MARK: Calls

    private static func json(of call: CallRecord) -> JSONValue {
        var object = JSONObject([
            ("call_key", .string(call.reference.key.text)), ("attempt", .int(Int64(call.reference.attempt))),
            ("agent", .string(call.agent)), ("epoch", .int(call.epoch)), ("state", .string(call.state.rawValue)),
        ])
        if let failure = call.failure { object.append("failure", .string(failure.rawValue)) }
        guard let answer = call.answer else { return .object(object) }
        let members: [(String, JSONValue)] = [
            ("content", .string(answer.content)), ("provider", .string(answer.provider.rawValue)),
            ("model", .string(answer.model)), ("truncated", .bool(answer.truncated)),
            ("input_tokens", .int(Int64(answer.usage.inputTokens))),
            ("output_tokens", .int(Int64(answer.usage.outputTokens))),
            ("cost_micro_usd", .int(answer.usage.cost.amount)),
        ]
        for (key, value) in members { object.append(key, value) }
        return .object(object)
    }

    private static func callRecord(_ fields: EventFields) throws(ContractError) -> CallRecord {
        let state: CallState = try fields.choice("state")
        var answer: Answer?
        if state == .answered {
            answer = Answer(
                content: try fields.text("content"), provider: try fields.choice("provider"),
                model: try fields.text("model"), usage: try fields.usage(), truncated: try fields.bool("truncated"))
        }
        return CallRecord(
            reference: try fields.call(), agent: try fields.text("agent"), epoch: Int64(try fields.int("epoch")),
            state: state, answer: answer, failure: try fields.optionalChoice("failure"))
    }

    // MARK: Commands

    private static func json(of command: DebateCommand) -> JSONValue {
        var object = JSONObject([("number", .int(command.number)), ("author", .string(command.author))])
        switch command.kind {
        case .pause: object.append("kind", "pause")
        case .resume: object.append("kind", "resume")
        case .remark(let remark):
            object.append("kind", .string(remark.kind.rawValue))
            object.append("content", .string(remark.content))
            if let round = remark.firstRound { object.append("apply_at_round", .int(Int64(round))) }
        }
        return .object(object)
    }

    private static func debateCommand(_ fields: EventFields) throws(ContractError) -> DebateCommand {
        let kind: DebateCommand.Kind =
            switch try fields.text("kind") {
            case "pause": .pause
            case "resume": .resume
            default: .remark(try fields.remark())
            }
        return DebateCommand(
            number: Int64(try fields.int("number")), kind: kind, author: try fields.text("author"))
    }
}
