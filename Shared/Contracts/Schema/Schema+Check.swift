extension Schema {
    /// What of a value is not as described, each with its place; empty when all is.
    ///
    /// Stricter than a reader may be: a member that nobody described is a finding. Patterns are left to who has an engine.
    package func problems(with value: JSONValue, at place: String = "$") -> [String] {
        if case .encoded(let bytes) = value {
            guard let parsed = try? JSONParser.parse(bytes) else { return ["\(place): is not JSON"] }
            return problems(with: parsed, at: place)
        }
        if value.isNull, isNullable { return [] }
        switch form {
        case .any: return []
        case .boolean: return value.bool == nil ? [wrong(value, place, "a boolean")] : []
        case .integer(let minimum, let maximum):
            guard let number = value.int else { return [wrong(value, place, "a whole number")] }
            let isInside = number >= minimum ?? .min && number <= maximum ?? .max
            return isInside ? [] : ["\(place): \(number) is out of range"]
        case .number(let minimum, let maximum):
            guard let number = value.double else { return [wrong(value, place, "a number")] }
            let isInside = number >= minimum ?? -.infinity && number <= maximum ?? .infinity
            return isInside ? [] : ["\(place): \(number) is out of range"]
        case .string(let rule): return problems(with: value, rule, place)
        case .word(let words):
            guard let text = value.string else { return [wrong(value, place, "a string")] }
            return words.contains(text) ? [] : ["\(place): \(text) is none of \(words)"]
        case .constant(let constant): return value == constant ? [] : ["\(place): is another value than the constant"]
        case .array(let item, let maximum):
            guard let values = value.array else { return [wrong(value, place, "a list")] }
            let tooMany = values.count > maximum ?? .max ? ["\(place): has \(values.count) items"] : []
            return tooMany + values.enumerated().flatMap { item.problems(with: $1, at: "\(place)[\($0)]") }
        case .object(let members, let others): return problems(with: value, members, others, place)
        case .either(let schemas):
            let found = schemas.map { $0.problems(with: value, at: place) }
            return found.contains(where: \.isEmpty) ? [] : found.min { $0.count < $1.count } ?? []
        }
    }

    private func wrong(_ value: JSONValue, _ place: String, _ wanted: String) -> String {
        "\(place): is \(value.typeName), not \(wanted)"
    }

    private func problems(with value: JSONValue, _ rule: TextRule, _ place: String) -> [String] {
        guard let text = value.string else { return [wrong(value, place, "a string")] }
        let length = text.unicodeScalars.count
        let isInside = length >= rule.minimum ?? 0 && length <= rule.maximum ?? .max
        return isInside ? [] : ["\(place): has \(length) characters"]
    }

    private func problems(
        with value: JSONValue, _ members: [Member], _ others: Others, _ place: String
    ) -> [String] {
        guard let object = value.object else { return [wrong(value, place, "an object")] }
        var problems: [String] = []
        for member in members {
            if let value = object[member.name] {
                problems += member.schema.problems(with: value, at: "\(place).\(member.name)")
            } else if !member.schema.isOptional {
                problems.append("\(place): lacks \(member.name)")
            }
        }
        let names = Set(members.map(\.name))
        for member in object.members where !names.contains(member.key) {
            switch others {
            case .none: problems.append("\(place): \(member.key) is not described")
            case .ignored: break
            case .all(let schema): problems += schema.problems(with: member.value, at: "\(place).\(member.key)")
            }
        }
        return problems
    }
}
