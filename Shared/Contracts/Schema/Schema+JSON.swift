extension Schema {
    /// The schema as JSON Schema 2020-12; named parts are references below `#/components/schemas/`.
    package var json: JSONValue {
        guard let name else { return .object(written) }
        let reference: JSONValue = ["$ref": .string("#/components/schemas/\(name)")]
        return isNullable ? ["anyOf": [reference, ["type": "null"]]] : reference
    }

    /// What stands under its name: the schema itself, its parts by reference.
    package var definition: JSONValue {
        var schema = self
        schema.isNullable = false
        return .object(schema.written)
    }

    /// Every named schema in here, itself included.
    package var namedParts: [String: Schema] {
        var parts: [String: Schema] = [:]
        collect(into: &parts)
        return parts
    }

    private func collect(into parts: inout [String: Schema]) {
        if let name {
            guard parts[name] == nil else { return }
            parts[name] = self
        }
        for part in children { part.collect(into: &parts) }
    }

    private var children: [Schema] {
        switch form {
        case .array(let item, _): [item]
        case .either(let schemas): schemas
        case .object(let members, .all(let other)): members.map(\.schema) + [other]
        case .object(let members, _): members.map(\.schema)
        default: []
        }
    }

    private var written: JSONObject {
        var object = JSONObject()
        if let about { object.append("description", .string(about)) }
        switch form {
        case .any: break
        case .boolean: type("boolean", &object)
        case .integer(let minimum, let maximum):
            type("integer", &object)
            if let minimum { object.append("minimum", .int(minimum)) }
            if let maximum { object.append("maximum", .int(maximum)) }
        case .number(let minimum, let maximum):
            type("number", &object)
            if let minimum { object.append("minimum", .plain(minimum)) }
            if let maximum { object.append("maximum", .plain(maximum)) }
        case .string(let rule): write(rule, &object)
        case .word(let words):
            type("string", &object)
            object.append("enum", .array(words.map { .string($0) } + (isNullable ? [.null] : [])))
        case .constant(let value): object.append("const", value)
        case .array(let item, let maximum):
            type("array", &object)
            object.append("items", item.json)
            if let maximum { object.append("maxItems", .int(Int64(maximum))) }
        case .object(let members, let others): write(members, others, &object)
        case .either(let schemas):
            object.append("anyOf", .array(schemas.map(\.json) + (isNullable ? [["type": "null"]] : [])))
        }
        return object
    }

    private func type(_ name: JSONValue, _ object: inout JSONObject) {
        object.append("type", isNullable ? .array([name, "null"]) : name)
    }

    private func write(_ rule: TextRule, _ object: inout JSONObject) {
        type("string", &object)
        if let minimum = rule.minimum { object.append("minLength", .int(Int64(minimum))) }
        if let maximum = rule.maximum { object.append("maxLength", .int(Int64(maximum))) }
        if let pattern = rule.pattern { object.append("pattern", .string(pattern)) }
        if let format = rule.format { object.append("format", .string(format)) }
    }

    /// Others are never forbidden: whoever reads an answer ignores what it does not know, and so do we.
    private func write(_ members: [Member], _ others: Others, _ object: inout JSONObject) {
        type("object", &object)
        if !members.isEmpty {
            object.append("properties", .object(JSONObject(members.map { ($0.name, $0.schema.json) })))
        }
        let required = members.filter { !$0.schema.isOptional }.map(\.name)
        if !required.isEmpty { object.append("required", .strings(required)) }
        if case .all(let schema) = others, !schema.isAny { object.append("additionalProperties", schema.json) }
    }

    private var isAny: Bool {
        if case .any = form { about == nil } else { false }
    }
}

extension JSONValue {
    /// A bound as it is, whole numbers without a point.
    fileprivate static func plain(_ number: Double) -> JSONValue {
        Int64(exactly: number).map { .int($0) } ?? .double(number)
    }
}
