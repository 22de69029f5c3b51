package import Domain

/// One agent as a client asks for it; what it leaves open, the installation fills in.
package struct AgentWish: Sendable, Equatable {
    package let provider: ProviderKey
    /// Nil for the provider's default.
    package let model: String?
    package let persona: String?
    package let role: AgentRole?
    /// Nil for `<provider>-<n>`.
    package let name: String?

    package static let maximumNameCharacters = 64
    package static let maximumModelCharacters = 128
    package static let maximumPersonaCharacters = 500

    package init(
        provider: ProviderKey, model: String? = nil, persona: String? = nil, role: AgentRole? = nil, name: String? = nil
    ) {
        self.provider = provider
        self.model = model
        self.persona = persona
        self.role = role
        self.name = name
    }
}

extension AgentWish {
    /// Reads `agents`: a list of strings and objects, a comma-separated string, or one object.
    static func list(_ fields: inout RequestFields) -> [AgentWish] {
        guard let (field, value) = fields.value("agents") else { return [] }
        switch value {
        case .array(let values): return list(values, field, &fields)
        case .object: return parse(value, field, &fields).map { [$0] } ?? []
        case .string(let text):
            let parts = text.split(separator: ",", maxSplits: maximumParts).map { String($0).trimmed }
            return list(parts.filter { !$0.isEmpty }.map { .string($0) }, field, &fields)
        default:
            fields.refuse(field, "must be a list, a comma-separated string or an object, not \(value.typeName)")
            return []
        }
    }

    /// One past what is allowed is enough to refuse.
    private static let maximumParts = DebateSpec.agentsRange.upperBound + 1

    private static func list(_ values: [JSONValue], _ field: String, _ fields: inout RequestFields) -> [AgentWish] {
        guard values.count <= DebateSpec.agentsRange.upperBound else {
            fields.refuse(field, "must name at most \(DebateSpec.agentsRange.upperBound) agents")
            return []
        }
        var wishes: [AgentWish] = []
        for (index, value) in values.enumerated() {
            guard let wish = parse(value, "\(field)[\(index)]", &fields) else { continue }
            if let name = wish.name, wishes.contains(where: { $0.name?.lowercased() == name.lowercased() }) {
                fields.refuse("\(field)[\(index)].name", "another agent has this name")
            }
            wishes.append(wish)
        }
        return wishes
    }

    private static func parse(_ value: JSONValue, _ field: String, _ fields: inout RequestFields) -> AgentWish? {
        switch value {
        case .string(let text): parse(text: text, field, &fields)
        case .object(let object): parse(object: object, field, &fields)
        default: refuse(field, "must be a string or an object, not \(value.typeName)", &fields)
        }
    }

    /// `provider`, `provider|model|persona|role`, or the older `provider:persona`.
    private static func parse(text: String, _ field: String, _ fields: inout RequestFields) -> AgentWish? {
        let isPiped = text.utf8.contains(UInt8(ascii: "|"))
        let parts = text.split(
            separator: isPiped ? "|" : ":", maxSplits: isPiped ? 4 : 1, omittingEmptySubsequences: false
        )
        .map { String($0).trimmed }
        guard parts.count <= 4 else { return refuse(field, "has more than provider|model|persona|role", &fields) }
        func part(_ index: Int) -> String? {
            parts.indices.contains(index) && !parts[index].isEmpty ? parts[index] : nil
        }
        return make(
            provider: part(0) ?? "", model: isPiped ? part(1) : nil, persona: part(isPiped ? 2 : 1),
            role: isPiped ? part(3) : nil, name: nil, field, field, &fields)
    }

    private static func parse(object: JSONObject, _ field: String, _ fields: inout RequestFields) -> AgentWish? {
        var texts: [String: String] = [:]
        for key in ["provider", "model", "persona", "role", "name"] {
            guard let value = object[key], !value.isNull else { continue }
            guard let text = value.string else {
                fields.refuse("\(field).\(key)", "must be a string, not \(value.typeName)")
                return nil
            }
            texts[key] = text.trimmed.isEmpty ? nil : text.trimmed
        }
        guard let provider = texts["provider"] else { return refuse("\(field).provider", "is required", &fields) }
        return make(
            provider: provider, model: texts["model"], persona: texts["persona"], role: texts["role"],
            name: texts["name"],
            "\(field).provider", "\(field).role", &fields, path: "\(field).")
    }

    private static func make(
        provider: String, model: String?, persona: String?, role: String?, name: String?, _ providerField: String,
        _ roleField: String, _ fields: inout RequestFields, path: String = ""
    ) -> AgentWish? {
        guard let key = ProviderKey(spelling: provider) else {
            let known = ProviderKey.allCases.map(\.rawValue).joined(separator: ", ")
            return refuse(providerField, "is not a provider we know; known: \(known)", &fields)
        }
        let choice = role.flatMap { AgentRole(rawValue: $0.lowercased()) }
        if role != nil, choice == nil {
            let known = AgentRole.allCases.map(\.rawValue).joined(separator: ", ")
            return refuse(roleField, "must be one of: \(known)", &fields)
        }
        func field(_ key: String) -> String { path.isEmpty ? providerField : path + key }
        if let model,
            model.unicodeScalars.count > maximumModelCharacters || model.unicodeScalars.contains(where: isControl)
        {
            return refuse(field("model"), "must have at most \(maximumModelCharacters) printable characters", &fields)
        }
        if let persona { fields.checkLength(field("persona"), persona, 0...maximumPersonaCharacters) }
        if let name, !isName(name) {
            return refuse(
                field("name"),
                "must have 1 to \(maximumNameCharacters) letters, digits, spaces, dots, dashes or underscores", &fields)
        }
        return AgentWish(provider: key, model: model, persona: persona, role: choice, name: name)
    }

    private static func refuse(_ field: String, _ message: String, _ fields: inout RequestFields) -> AgentWish? {
        fields.refuse(field, message)
        return nil
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }

    /// Names stand in call keys, votes and log lines: no slash, no line break, nothing that can not be said.
    private static func isName(_ name: String) -> Bool {
        (1...maximumNameCharacters).contains(name.unicodeScalars.count)
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || " ._-".unicodeScalars.contains(scalar)
            }
    }
}
