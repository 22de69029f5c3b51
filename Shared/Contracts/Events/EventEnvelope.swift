package import Domain

/// An event on the wire: one JSON object, the same bytes in the API, in Redis and on the WebSocket (contract §3.3).
package enum EventEnvelope {
    /// The version of the form.
    package static let version = 1
    /// The largest envelope that is read, in bytes: the data and what is around it.
    package static let maximumBytes = EventCodec.maximumBytes + 4096

    /// The bytes of the envelope: keys always in this order, the data spliced in as it is stored.
    ///
    /// Erased data is sent as `{"debate_id":…,"erased":true}`, with an empty salt, and with `data_hash` as the last
    /// member, so that the chain can still be followed.
    package static func encode(_ event: SealedEvent, debateID: DebateID) -> [UInt8] {
        var text = JSONText(capacity: event.data.count + 512)
        text.raw("{\"v\":1,\"type\":")
        text.string(event.type)
        text.raw(",\"debate_id\":")
        text.string(debateID.text)
        text.raw(",\"loop_id\":")
        text.string(debateID.text)
        text.raw(",\"seq\":")
        text.number(event.seq)
        text.raw(",\"epoch\":")
        text.number(event.epoch)
        text.raw(",\"round\":")
        text.number(Int64(event.round))
        text.raw(",\"agent\":")
        if let agent = event.agent { text.string(agent) } else { text.raw("null") }
        text.raw(",\"timestamp\":\"")
        text.raw(event.at.iso8601Bytes)
        text.raw("\",\"data\":")
        if event.isErased { writeErased(debateID, into: &text) } else { text.raw(event.data) }
        text.raw(",\"hash\":\"")
        text.raw(HexText.encode(event.hash))
        text.raw("\",\"prev_hash\":\"")
        text.raw(HexText.encode(event.prevHash))
        text.raw("\",\"salt\":\"")
        text.raw(HexText.encode(event.salt))
        if event.isErased {
            text.raw("\",\"data_hash\":\"")
            text.raw(HexText.encode(event.dataHash))
        }
        text.raw("\"}")
        return text.bytes
    }

    private static func writeErased(_ debateID: DebateID, into text: inout JSONText) {
        text.raw("{\"debate_id\":")
        text.string(debateID.text)
        text.raw(",\"erased\":true}")
    }

    /// Reads an envelope, for clients and verifiers.
    ///
    /// The data comes back in canonical form, which is what was hashed. Nothing is checked but the form: `dataHash` is
    /// empty unless the data was erased, `call` is nil; a chain verifier finds the rest.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> (debateID: DebateID, event: SealedEvent) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw ContractError(.malformed, "envelope: \(error)")
        }
        return try parse(value)
    }

    /// Reads an envelope that is part of a larger document.
    package static func parse(_ value: JSONValue) throws(ContractError) -> (debateID: DebateID, event: SealedEvent) {
        guard let object = value.object else { throw ContractError(.malformed, "envelope: no object") }
        let fields = EventFields(type: "envelope", object: object)
        guard try fields.int("v") == version else {
            throw ContractError(.unknownVersion, "envelope of another version")
        }
        guard let debateID = DebateID(try fields.text("debate_id")),
            let at = Timestamp(iso8601: try fields.text("timestamp"))
        else { throw ContractError(.malformed, "envelope: debate_id or timestamp has another form") }
        guard let data = object["data"], data.object != nil else {
            throw ContractError(.malformed, "envelope: data is no object")
        }
        let isErased = object["data_hash"] != nil
        let event = SealedEvent(
            seq: Int64(try fields.int("seq")), type: try fields.text("type"), round: try fields.int("round"),
            agent: try fields.optionalText("agent"), at: at, epoch: Int64(try fields.int("epoch")),
            data: isErased ? [] : CanonicalJSON.encode(data), salt: isErased ? [] : try fields.hex("salt", length: 16),
            dataHash: isErased ? try fields.hex("data_hash", length: 32) : [],
            prevHash: try fields.hex("prev_hash", length: 32), hash: try fields.hex("hash", length: 32), call: nil)
        return (debateID, event)
    }

    /// The same, refusing whatever ``encode(_:debateID:)`` would write otherwise: no member is left unchecked, and hashes
    /// have one form.
    package static func parseStrictly(
        _ value: JSONValue
    ) throws(ContractError) -> (debateID: DebateID, event: SealedEvent) {
        let (debateID, event) = try parse(value)
        let members = value.object?.members.count ?? 0
        guard members == (event.isErased ? 14 : 13), value["loop_id"]?.string == debateID.text,
            value["agent"] != nil, isHex(value["hash"], event.hash), isHex(value["prev_hash"], event.prevHash),
            isHex(value["salt"], event.salt),
            !event.isErased || isHex(value["data_hash"], event.dataHash) && isErasedData(value["data"], debateID)
        else { throw ContractError(.malformed, "envelope: event \(event.seq) has another form") }
        return (debateID, event)
    }

    private static func isHex(_ value: JSONValue?, _ bytes: [UInt8]) -> Bool {
        value?.string.map { HexText.isEncoding($0, of: bytes) } ?? false
    }

    private static func isErasedData(_ value: JSONValue?, _ debateID: DebateID) -> Bool {
        value == ["debate_id": .string(debateID.text), "erased": true]
    }
}

extension SealedEvent {
    /// The same event without data and salt: what it hashed to stays, what it said goes.
    package var withoutContent: SealedEvent {
        SealedEvent(
            seq: seq, type: type, round: round, agent: agent, at: at, epoch: epoch, data: [], salt: [],
            dataHash: dataHash, prevHash: prevHash, hash: hash, call: call)
    }

    /// Whether data and salt were erased (privacy, retention); the hashes still hold.
    package var isErased: Bool { data.isEmpty }
}

extension EventFields {
    fileprivate func hex(_ key: String, length: Int) throws(ContractError) -> [UInt8] {
        guard let bytes = HexText.decode(try text(key), length: length) else {
            throw ContractError(.malformed, "\(type): \(key) is not \(length * 2) hex digits")
        }
        return bytes
    }
}
