import Domain

/// Typed reading of one event's data; every miss names the type and the field.
struct EventFields {
    let type: String
    let object: JSONObject

    private func malformed(_ key: String, _ wanted: String) -> ContractError {
        ContractError(.malformed, "\(type): \(key) is not \(wanted)")
    }

    func text(_ key: String) throws(ContractError) -> String {
        guard let text = object[key]?.string else { throw malformed(key, "a text") }
        return text
    }

    /// Nil when the field is null or absent.
    func optionalText(_ key: String) throws(ContractError) -> String? {
        guard let value = object[key], !value.isNull else { return nil }
        guard let text = value.string else { throw malformed(key, "a text or null") }
        return text
    }

    func int(_ key: String) throws(ContractError) -> Int {
        guard let number = object[key]?.int else { throw malformed(key, "a whole number") }
        return Int(number)
    }

    func bool(_ key: String) throws(ContractError) -> Bool {
        guard let bool = object[key]?.bool else { throw malformed(key, "true or false") }
        return bool
    }

    func ratio(_ key: String) throws(ContractError) -> Ratio {
        guard let number = object[key]?.double else { throw malformed(key, "a number") }
        return Ratio(number)
    }

    /// Nil when the field is null or absent.
    func optionalRatio(_ key: String) throws(ContractError) -> Ratio? {
        guard let value = object[key], !value.isNull else { return nil }
        return try ratio(key)
    }

    /// Empty when the field is absent.
    func optionalTexts(_ key: String) throws(ContractError) -> [String] {
        object[key] == nil ? [] : try texts(key)
    }

    func money(_ key: String) throws(ContractError) -> MicroUSD { MicroUSD(Int64(try int(key))) }

    func choice<Choice: RawRepresentable<String>>(_ key: String) throws(ContractError) -> Choice {
        guard let choice = Choice(rawValue: try text(key)) else { throw malformed(key, "a \(Choice.self)") }
        return choice
    }

    func optionalChoice<Choice: RawRepresentable<String>>(_ key: String) throws(ContractError) -> Choice? {
        guard let text = try optionalText(key) else { return nil }
        guard let choice = Choice(rawValue: text) else { throw malformed(key, "a \(Choice.self)") }
        return choice
    }

    func texts(_ key: String) throws(ContractError) -> [String] {
        guard let values = object[key]?.array else { throw malformed(key, "a list") }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { throw malformed(key, "a list of texts") }
        return texts
    }

    func objects(_ key: String) throws(ContractError) -> [EventFields] {
        guard let values = object[key]?.array else { throw malformed(key, "a list") }
        let objects = values.compactMap(\.object)
        guard objects.count == values.count else { throw malformed(key, "a list of objects") }
        return objects.map { EventFields(type: "\(type).\(key)", object: $0) }
    }

    func nested(_ key: String) throws(ContractError) -> EventFields {
        guard let object = object[key]?.object else { throw malformed(key, "an object") }
        return EventFields(type: "\(type).\(key)", object: object)
    }

    func call() throws(ContractError) -> CallReference {
        CallReference(key: CallKey(try text("call_key")), attempt: try int("attempt"))
    }

    func usage() throws(ContractError) -> Usage {
        Usage(
            inputTokens: try int("input_tokens"), outputTokens: try int("output_tokens"),
            cost: try money("cost_micro_usd"), isPriceAssumed: object["price_assumed"]?.bool ?? false)
    }
}
