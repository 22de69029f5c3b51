package import Domain

/// What our own client sends to the API and reads of its answers. Servers never use these.
package enum ClientForms {
    /// The largest answer that is read, in bytes.
    package static let maximumBytes = 16 << 20

    /// The body of `POST /api/v1/debates`.
    /// - Parameter agents: as a user names them; empty lets the server choose.
    package static func create(question: String, rounds: Int?, agents: [String]) -> [UInt8] {
        var body = JSONObject([("question", .string(question))])
        if let rounds { body.append("rounds", .int(Int64(rounds))) }
        if !agents.isEmpty { body.append("agents", .strings(agents)) }
        return CanonicalJSON.encode(body)
    }

    /// The answer to a create.
    package struct Created: Sendable, Equatable {
        package let id: DebateID
        package let agents: [String]
        package let rounds: Int
        /// Built-in demonstration agents answer, not a model.
        package let isDemo: Bool

        /// - Throws: ``ContractError`` when the body is not that answer.
        package init(_ bytes: [UInt8]) throws(ContractError) {
            let object = try ClientForms.object(bytes)
            guard let id = object["debate_id"]?.string.flatMap({ DebateID($0) }) else {
                throw ContractError(.malformed, "the answer names no debate_id")
            }
            self.id = id
            agents = (object["agents"]?.array ?? []).compactMap(\.string)
            rounds = Int(object["rounds"]?.int ?? 0)
            isDemo = object["demo"]?.bool ?? false
        }
    }

    /// An estimate, in lines for people.
    package static func estimate(_ bytes: [UInt8]) throws(ContractError) -> [String] {
        let object = try object(bytes)
        guard let calls = object["calls"]?.int, let likely = object["total_estimated_cost_usd"]?.double,
            let worst = object["worst_cost_usd"]?.double
        else { throw ContractError(.malformed, "the answer is no estimate") }
        var lines = (object["breakdown_by_model"]?.array ?? []).map { line in
            let name = "\(line["provider"]?.string ?? "?")/\(line["model"]?.string ?? "?")"
            let isAssumed = line["price_assumed"]?.bool == true
            return
                "\(name): \(line["calls"]?.int ?? 0) calls, about $\(cents(line["subtotal_usd"]?.double ?? 0)), at most "
                + "$\(cents(line["worst_usd"]?.double ?? 0))\(isAssumed ? " (no known price: the dearest was taken)" : "")"
        }
        lines.append(
            "\(calls) calls, about $\(cents(likely)), at most $\(cents(worst)) if each is answered at its first attempt"
        )
        if object["within_budget"]?.bool == false { lines.append("that may be more than the budget") }
        return lines
    }

    /// Dollars with four decimals.
    static func cents(_ dollars: Double) -> String {
        let parts = Int64((max(0, min(dollars, 1e9)) * 10_000).rounded()).quotientAndRemainder(dividingBy: 10_000)
        return "\(parts.quotient).\(String(String(parts.remainder + 10_000).dropFirst()))"
    }

    /// What an error answer says, in one line.
    package static func problem(in bytes: [UInt8]) -> String? {
        guard let object = try? object(bytes), let message = (object["error"] ?? object["message"])?.string else {
            return nil
        }
        return [message, object["suggestion"]?.string].compactMap { $0 }.joined(separator: "; ")
    }

    /// Whether the server found a receipt intact and matching its log.
    package static func isIntact(_ bytes: [UInt8]) throws(ContractError) -> Bool {
        let object = try object(bytes)
        return object["integrity_valid"]?.bool == true && object["chain_valid"]?.bool != false
    }

    /// Whether the server found a receipt signed by a key of its own, and which.
    package static func signature(_ bytes: [UInt8]) throws(ContractError) -> (isValid: Bool, keyID: String?) {
        let object = try object(bytes)
        return (object["signature_valid"]?.bool == true, object["key_id"]?.string)
    }

    /// The events of a saved log: envelopes as lines, an array, or the API's answer with `events`.
    /// - Throws: ``ContractError`` when one can not be read.
    package static func events(_ bytes: [UInt8]) throws(ContractError) -> [SealedEvent] {
        var events: [SealedEvent] = []
        if let value = try? JSONParser.parse(bytes, maximumBytes: maximumBytes),
            let list = value.array ?? value.object?["events"]?.array
        {
            for item in list { events.append(try EventEnvelope.parseStrictly(item).event) }
            return events
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
            guard let value = try? JSONParser.parse(Array(line), maximumBytes: EventEnvelope.maximumBytes) else {
                throw ContractError(.malformed, "events: a line is no envelope")
            }
            events.append(try EventEnvelope.parseStrictly(value).event)
        }
        return events
    }

    static func object(_ bytes: [UInt8]) throws(ContractError) -> JSONObject {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw ContractError(.malformed, "the answer is no JSON: \(error)")
        }
        guard let object = value.object else { throw ContractError(.malformed, "the answer is no object") }
        return object
    }
}
