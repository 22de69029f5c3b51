package import Domain

/// What a client sends about budgets.
package enum BudgetRequest {
    package static let nameCharacters = 1...120
    /// The largest limit, in US dollars.
    package static let maximumUSD = 1_000_000_000.0
    package static let standardThreshold = 80
    /// The only scope there is.
    package static let scope = "organization"

    /// `POST /budgets`.
    package struct Create: Sendable, Equatable {
        package let name: String
        package let limit: MicroUSD
        package let period: BudgetPeriod
        package let alertThreshold: Int
    }

    /// `PATCH /budgets/{budget}`; nil leaves it.
    package struct Change: Sendable, Equatable {
        package let name: String?
        package let limit: MicroUSD?
        package let alertThreshold: Int?
        package let isEnabled: Bool?
    }

    /// `POST /budgets/check`.
    package struct Check: Sendable, Equatable {
        package let cost: MicroUSD
        /// Nil for all of the organization's.
        package let budget: String?
    }

    /// - Throws: `ValidationFailure` with every problem.
    package static func create(_ bytes: [UInt8]) throws(ValidationFailure) -> Create {
        var fields = try fields(bytes)
        let (name, limit, period) = (name(&fields), dollars("limit_amount", &fields), period(&fields))
        if fields.value("name") == nil { fields.refuse("name", "is required") }
        if fields.value("limit_amount") == nil { fields.refuse("limit_amount", "is required") }
        if let (field, scope) = fields.string("scope"), scope.trimmed.lowercased() != Self.scope {
            fields.refuse(field, "must be \(Self.scope): a budget is for all debates of an organization")
        }
        let threshold = threshold(&fields) ?? standardThreshold
        guard fields.problems.isEmpty, let name, let limit else { throw ValidationFailure(fields.problems) }
        return Create(name: name, limit: limit, period: period ?? .monthly, alertThreshold: threshold)
    }

    /// - Throws: `ValidationFailure` with every problem.
    package static func change(_ bytes: [UInt8]) throws(ValidationFailure) -> Change {
        var fields = try fields(bytes)
        let change = Change(
            name: name(&fields), limit: dollars("limit_amount", &fields), alertThreshold: threshold(&fields),
            isEnabled: fields.bool("enabled"))
        if fields.value("period") != nil { fields.refuse("period", "can not be changed; make another budget") }
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return change
    }

    /// - Throws: `ValidationFailure` with every problem.
    package static func check(_ bytes: [UInt8]) throws(ValidationFailure) -> Check {
        var fields = try fields(bytes)
        _ = fields.string("operation")
        let cost = dollars("estimated_cost", &fields, from: 0)
        if fields.value("estimated_cost") == nil { fields.refuse("estimated_cost", "is required") }
        let budget = fields.string("budget_id")?.text
        guard fields.problems.isEmpty, let cost else { throw ValidationFailure(fields.problems) }
        return Check(cost: cost, budget: budget)
    }

    private static func fields(_ bytes: [UInt8]) throws(ValidationFailure) -> RequestFields {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        return RequestFields(object, nestedIn: [])
    }

    private static func name(_ fields: inout RequestFields) -> String? {
        guard let (field, text) = fields.string("name") else { return nil }
        fields.checkLength(field, text.trimmed, nameCharacters)
        return text.trimmed
    }

    private static func period(_ fields: inout RequestFields) -> BudgetPeriod? {
        fields.choice("period", of: BudgetPeriod.allCases.map(\.rawValue), unsupported: [])
            .flatMap { BudgetPeriod(rawValue: $0) }
    }

    private static func threshold(_ fields: inout RequestFields) -> Int? { fields.int("alert_threshold", 1...100) }

    private static func dollars(
        _ name: String, _ fields: inout RequestFields, from minimum: Double = 0.000001
    ) -> MicroUSD? {
        guard let (field, value) = fields.value(name) else { return nil }
        guard let amount = value.double else {
            fields.refuse(field, "must be a number, not \(value.typeName)")
            return nil
        }
        guard amount >= minimum, amount <= maximumUSD else {
            fields.refuse(field, "must be \(minimum > 0 ? "greater than 0" : "at least 0") and at most 1000000000")
            return nil
        }
        return MicroUSD(Int64((amount * 1_000_000).rounded()))
    }
}
