import Domain

/// Reads the fields of a request body from its levels and collects everything that is wrong with them.
///
/// Null is the same as absent. Only the value that wins is looked at.
struct RequestFields {
    private let levels: [(prefix: String, object: JSONObject)]
    private(set) var problems: [FieldProblem] = []

    /// So many problems are told; a body of garbage does not get a book back.
    static let maximumProblems = 50

    /// - Parameter nestedIn: objects whose members count as fields, after the top level, in this order.
    init(_ object: JSONObject, nestedIn nested: [String]) {
        var levels = [(prefix: "", object: object)]
        for name in nested {
            guard let value = object[name], !value.isNull else { continue }
            if let object = value.object {
                levels.append((prefix: name + ".", object: object))
            } else {
                problems.append(FieldProblem(name, "must be an object, not \(value.typeName)"))
            }
        }
        self.levels = levels
    }

    /// The fields of a body.
    /// - Throws: `ValidationFailure` of the field `body` when it is no JSON object.
    init(body: [UInt8], maximumBytes: Int = CreateDebateRequest.maximumBytes) throws(ValidationFailure) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(body, maximumBytes: maximumBytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        self.init(object, nestedIn: [])
    }

    mutating func refuse(_ field: String, _ message: String) {
        if problems.count < Self.maximumProblems { problems.append(FieldProblem(field, message)) }
    }

    /// The value of the first level that has one, and the field as the user wrote it.
    func value(_ name: String) -> (field: String, value: JSONValue)? {
        level(havingAnyOf: [name]).first
    }

    /// What the first level that has any of these names holds under them.
    func level(havingAnyOf names: [String]) -> [(field: String, value: JSONValue)] {
        for (prefix, object) in levels {
            let found = names.compactMap { name in
                object[name].flatMap { $0.isNull ? nil : (field: prefix + name, value: $0) }
            }
            if !found.isEmpty { return found }
        }
        return []
    }

    mutating func string(_ name: String) -> (field: String, text: String)? {
        guard let (field, value) = value(name) else { return nil }
        if let text = value.string { return (field, text) }
        refuse(field, "must be a string, not \(value.typeName)")
        return nil
    }

    mutating func object(_ name: String) -> (field: String, object: JSONObject)? {
        guard let (field, value) = value(name) else { return nil }
        if let object = value.object { return (field, object) }
        refuse(field, "must be an object, not \(value.typeName)")
        return nil
    }

    mutating func bool(_ name: String) -> Bool? {
        guard let (field, value) = value(name) else { return nil }
        if let bool = value.bool { return bool }
        refuse(field, "must be true or false, not \(value.typeName)")
        return nil
    }

    mutating func int(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let (field, value) = value(name) else { return nil }
        guard let number = value.int else {
            refuse(field, "must be a whole number\(value.double == nil ? ", not \(value.typeName)" : "")")
            return nil
        }
        guard number >= range.lowerBound, number <= range.upperBound else {
            refuse(field, "must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return Int(number)
    }

    /// One of a closed set, in any case.
    mutating func choice(_ name: String, of choices: [String], unsupported: [String]) -> String? {
        guard let (field, text) = string(name) else { return nil }
        let choice = text.trimmed.lowercased()
        if choices.contains(choice) { return choice }
        let list = choices.joined(separator: ", ")
        refuse(
            field,
            unsupported.contains(choice) ? "\(choice) is not supported; supported: \(list)" : "must be one of: \(list)")
        return nil
    }

    mutating func checkLength(_ field: String, _ text: String, _ range: ClosedRange<Int>) {
        let length = text.unicodeScalars.count
        if length < range.lowerBound || length > range.upperBound {
            let bounds = range.lowerBound > 0 ? "from \(range.lowerBound) to" : "at most"
            refuse(field, "must have \(bounds) \(range.upperBound) characters")
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
