package import Domain

/// `POST /debates/batch`: many creates in one body, under `items` or, as the official client says it, `requests`.
package struct BatchRequest: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package let debate: CreateDebateRequest
        /// Higher goes first.
        package let priority: Int
    }

    /// The largest body, in bytes.
    package static let maximumBytes = 16 << 20
    package static let maximumItems = 1000
    package static let priorityRange = -100...100
    private static let priorityWords = ["low": -1, "normal": 0, "high": 1]

    package let items: [Item]
    /// Who is told of the end of each debate that names nobody itself.
    package let callback: CallbackWish?

    /// - Throws: `ValidationFailure` with the first problems of all items, each by its place.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> BatchRequest {
        var fields = try RequestFields(body: bytes, maximumBytes: maximumBytes)
        guard let (name, value) = fields.value("items") ?? fields.value("requests") else {
            fields.refuse("items", "is required (also accepted: requests)")
            throw ValidationFailure(fields.problems)
        }
        guard let values = value.array, (1...maximumItems).contains(values.count) else {
            fields.refuse(name, "must be a list of 1 to \(maximumItems) debates")
            throw ValidationFailure(fields.problems)
        }
        let callback = CallbackWish.read(&fields)
        _ = fields.int("max_parallel", 1...maximumItems)
        let priority = self.priority(&fields) ?? 0
        let metadata = fields.object("metadata")?.object ?? JSONObject()
        var items: [Item] = []
        for (index, value) in values.enumerated() {
            read(value, at: "\(name)[\(index)]", priority, metadata, into: &items, &fields)
        }
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return BatchRequest(items: items, callback: callback)
    }

    /// What the batch says of all holds for an item that does not say otherwise.
    private static func read(
        _ value: JSONValue, at place: String, _ standard: Int, _ metadata: JSONObject, into items: inout [Item],
        _ fields: inout RequestFields
    ) {
        guard var object = value.object else { return fields.refuse(place, "must be an object, not \(value.typeName)") }
        if let own = object["metadata"]?.object {
            var merged = metadata
            for member in own.members { merged[member.key] = member.value }
            object["metadata"] = .object(merged)
        } else if object["metadata"]?.isNull ?? true, !metadata.isEmpty {
            object["metadata"] = .object(metadata)
        }
        var own = RequestFields(object, nestedIn: [])
        let priority = priority(&own)
        for problem in own.problems { fields.refuse("\(place).\(problem.field)", problem.message) }
        do throws(ValidationFailure) {
            items.append(Item(debate: try CreateDebateRequest.parse(.object(object)), priority: priority ?? standard))
        } catch {
            for problem in error.problems { fields.refuse("\(place).\(problem.field)", problem.message) }
        }
    }

    /// A number, or `low`, `normal`, `high`.
    private static func priority(_ fields: inout RequestFields) -> Int? {
        guard let (field, value) = fields.value("priority") else { return nil }
        if let word = value.string {
            guard let priority = priorityWords[word.lowercased()] else {
                fields.refuse(field, "must be low, normal, high or a whole number")
                return nil
            }
            return priority
        }
        return fields.int("priority", priorityRange)
    }
}
