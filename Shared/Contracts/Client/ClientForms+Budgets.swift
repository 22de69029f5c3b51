package import Domain

extension ClientForms {
    /// A budget as the API shows it, as far as a person asks.
    package struct BudgetLine: Sendable, Equatable {
        package let id: String
        package let name: String
        package let period: String
        package let status: String
        /// US dollars.
        package let limit: Double
        package let spent: Double
        package let remaining: Double
        package let periodEnd: String?

        init?(_ value: JSONValue) {
            guard let id = value["id"]?.string, let name = value["name"]?.string, let period = value["period"]?.string,
                let status = value["status"]?.string, let limit = value["limit_amount"]?.double,
                let spent = value["spent_amount"]?.double, let remaining = value["remaining_amount"]?.double
            else { return nil }
            (self.id, self.name, self.period, self.status) = (id, name, period, status)
            (self.limit, self.spent, self.remaining) = (limit, spent, remaining)
            periodEnd = value["period_end"]?.string
        }

        /// For people.
        package var text: String {
            let until = periodEnd.map { " until \($0)" } ?? ""
            return "\(id)  \(name): $\(ClientForms.cents(spent)) of $\(ClientForms.cents(limit)) \(period), "
                + "$\(ClientForms.cents(remaining)) left\(until) (\(status))"
        }
    }

    /// The body of `POST /api/v1/budgets`, or of a `PATCH` without the period.
    /// - Parameter limit: US dollars.
    package static func budget(name: String?, limit: Double?, period: BudgetPeriod?, threshold: Int?) -> [UInt8] {
        var body = JSONObject()
        if let name { body.append("name", .string(name)) }
        if let limit { body.append("limit_amount", .double(limit)) }
        if let period { body.append("period", .string(period.rawValue)) }
        if let threshold { body.append("alert_threshold", .int(Int64(threshold))) }
        return CanonicalJSON.encode(body)
    }

    /// One budget.
    package static func budget(_ bytes: [UInt8]) throws(ContractError) -> BudgetLine {
        guard let line = BudgetLine(.object(try object(bytes))) else {
            throw ContractError(.malformed, "the answer is no budget")
        }
        return line
    }

    /// The budgets of an organization.
    package static func budgets(_ bytes: [UInt8]) throws(ContractError) -> [BudgetLine] {
        guard let list = try object(bytes)["budgets"]?.array else {
            throw ContractError(.malformed, "the answer has no budgets")
        }
        return list.compactMap(BudgetLine.init)
    }
}
