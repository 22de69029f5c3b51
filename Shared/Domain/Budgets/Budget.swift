/// A limit on what an organization's debates may cost in a period.
package struct Budget: Hashable, Sendable {
    package let id: BudgetID
    package let organization: OrganizationID
    package let name: String
    package let limit: MicroUSD
    package let period: BudgetPeriod
    /// Percent of the limit at which an alert is raised, 1…100.
    package let alertThreshold: Int
    /// One that is not limits nothing and is still kept account of.
    package let isEnabled: Bool
    package let createdBy: String
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// A period that was begun by hand.
    package let resetAt: Timestamp?

    package init(
        id: BudgetID, organization: OrganizationID, name: String, limit: MicroUSD, period: BudgetPeriod,
        alertThreshold: Int, isEnabled: Bool = true, createdBy: String, createdAt: Timestamp, updatedAt: Timestamp,
        resetAt: Timestamp? = nil
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.limit = limit
        self.period = period
        self.alertThreshold = alertThreshold
        self.isEnabled = isEnabled
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.resetAt = resetAt
    }

    /// The period at `time`: the calendar's, or what is left of it since it was reset.
    package func window(at time: Timestamp) -> BudgetPeriod.Window {
        let window = period.window(around: time)
        return BudgetPeriod.Window(start: resetAt.map { max($0, window.start) } ?? window.start, end: window.end)
    }
}

/// A budget's id, `bdg_…`.
package struct BudgetID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "bdg_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "bdg_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
    package static func < (left: BudgetID, right: BudgetID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// What a budget has in one of its periods.
package struct BudgetUsage: Hashable, Sendable {
    package let limit: MicroUSD
    /// Of debates that are over and of those that are not.
    package let spent: MicroUSD
    /// Held back for calls that are in flight.
    package let reserved: MicroUSD
    /// Granted to debates that are not over, and neither spent nor reserved by them yet.
    package let idle: MicroUSD

    package init(limit: MicroUSD, spent: MicroUSD, reserved: MicroUSD, idle: MicroUSD) {
        self.limit = limit
        self.spent = spent
        self.reserved = reserved
        self.idle = idle
    }

    /// What a debate may still be granted; never negative.
    package var remainder: MicroUSD {
        MicroUSD(max(0, limit.amount - spent.amount - reserved.amount - idle.amount))
    }

    /// What is not spent; never negative.
    package var unspent: MicroUSD { MicroUSD(max(0, limit.amount - spent.amount)) }

    /// Percent of the limit, with four decimals.
    package var share: Ratio { Ratio(Double(spent.amount) / Double(max(1, limit.amount)) * 100) }

    package func reaches(threshold percent: Int) -> Bool { share >= Ratio(Double(percent)) }
}

/// What an attempt of a call holds back until its cost is known.
package struct Reservation: Hashable, Sendable {
    /// The most that it can cost.
    package let amount: MicroUSD
    /// The debate's own limit; nil without one.
    package let debateLimit: MicroUSD?
    package init(amount: MicroUSD, debateLimit: MicroUSD?) {
        self.amount = amount
        self.debateLimit = debateLimit
    }
}

/// Who could not pay for the next phase.
package enum BudgetRefusal: Hashable, Sendable {
    /// The debate's own limit.
    case debate
    /// A budget of its organization.
    case organization(BudgetID)

    /// Why the debate is over, for people.
    package var sentence: String {
        switch self {
        case .debate: "Its own budget did not cover the worst cost of the calls that were due."
        case .organization: "A budget of its organization did not cover the worst cost of the calls that were due."
        }
    }

    /// As it is stored and sent.
    package var text: String {
        switch self {
        case .debate: "debate"
        case .organization(let budget): budget.text
        }
    }

    package init?(_ text: String) {
        if text == "debate" {
            self = .debate
        } else if let budget = BudgetID(text) {
            self = .organization(budget)
        } else {
            return nil
        }
    }
}

/// A budget's threshold was crossed by a call of this debate.
package struct BudgetAlert: Hashable, Sendable {
    package let number: Int64
    package let budget: BudgetID
    package let name: String
    /// Percent.
    package let threshold: Int
    package let spent: MicroUSD
    package let limit: MicroUSD

    package init(number: Int64, budget: BudgetID, name: String, threshold: Int, spent: MicroUSD, limit: MicroUSD) {
        self.number = number
        self.budget = budget
        self.name = name
        self.threshold = threshold
        self.spent = spent
        self.limit = limit
    }
}
