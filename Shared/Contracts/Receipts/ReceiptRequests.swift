package import Domain

/// Bodies of requests about receipts; an empty body is an empty object.
package enum ReceiptRequests {
    /// Receipts of one batch.
    package static let batchLimit = 100
    package static let maxReasonCharacters = 500

    /// `POST /receipts/{id}/share`.
    package struct Share: Sendable {
        package let hours: Int
        package let maxAccesses: Int
        package let isRedacted: Bool

        /// - Throws: `ValidationFailure`.
        package init(
            _ bytes: [UInt8], hours range: ClosedRange<Int>, accesses: ClosedRange<Int>
        ) throws(ValidationFailure) {
            var fields = try ReceiptRequests.fields(bytes)
            hours = fields.int("expires_in_hours", range) ?? 24
            maxAccesses = fields.int("max_accesses", accesses) ?? 100
            isRedacted = fields.bool("redacted") ?? false
            try ReceiptRequests.finish(fields)
        }
    }

    /// `POST /receipts/{id}/legal-hold`.
    package struct Hold: Sendable {
        package let isHeld: Bool
        package let reason: String?

        /// - Throws: `ValidationFailure`.
        package init(_ bytes: [UInt8]) throws(ValidationFailure) {
            var fields = try ReceiptRequests.fields(bytes)
            isHeld = fields.bool("legal_hold") ?? true
            let given = fields.string("reason")
            reason = given?.text
            if let given { fields.checkLength(given.field, given.text, 0...ReceiptRequests.maxReasonCharacters) }
            try ReceiptRequests.finish(fields)
        }
    }

    /// `POST /receipts/batch-export`: `receipt_ids` and `format`.
    package static func export(_ bytes: [UInt8]) throws(ValidationFailure) -> (ids: [String], format: String) {
        var fields = try fields(bytes)
        let format = fields.string("format")?.text ?? "json"
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return (try batch(bytes), format)
    }

    /// `POST /receipts/verify-batch`: `receipt_ids`.
    /// - Throws: `ValidationFailure`.
    package static func batch(_ bytes: [UInt8]) throws(ValidationFailure) -> [String] {
        var fields = try fields(bytes)
        guard let list = (fields.value("receipt_ids") ?? fields.value("ids"))?.value.array, !list.isEmpty,
            list.count <= batchLimit, list.allSatisfy({ $0.string != nil })
        else {
            fields.refuse("receipt_ids", "must be a list of 1 to \(batchLimit) ids")
            throw ValidationFailure(fields.problems)
        }
        return list.compactMap(\.string)
    }

    private static func fields(_ bytes: [UInt8]) throws(ValidationFailure) -> RequestFields {
        guard !bytes.isEmpty else { return RequestFields(JSONObject(), nestedIn: []) }
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        return RequestFields(object, nestedIn: [])
    }

    private static func finish(_ fields: RequestFields) throws(ValidationFailure) {
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
    }
}
