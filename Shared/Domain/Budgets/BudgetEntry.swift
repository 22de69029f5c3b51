/// One movement of money, in the order in which it happened for its debate and for its period.
package struct BudgetEntry: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A budget's limit is `amount` from here on; nil for none.
        case limit
        /// A debate's account, with its own limit; nil for none.
        case open
        /// A period grants a debate `amount`.
        case grant
        /// The same, because a call cost more than the worst that was thought of.
        case overrun
        /// A call's worst cost is held back.
        case reserve
        /// A call gives back `amount` and cost `spent`.
        case settle
        /// The same of a call whose fate nobody knows: it costs its reservation.
        case unknown
        /// What an unknown call cost was learned: `spent` is the difference. Of a budget: after the debate's end.
        case correct
        /// A phase's worst cost, `amount`, was not reserved: by the debate's own limit, or by a budget.
        case refuse
        /// A debate returns `amount` to a period, which bears `spent` from here on.
        case `return`
        /// A debate is over.
        case close
    }

    /// Where it happened.
    package struct Place: Hashable, Sendable {
        package let budget: BudgetID
        package let start: Timestamp
        package init(budget: BudgetID, start: Timestamp) {
            self.budget = budget
            self.start = start
        }
    }

    package let number: Int64
    package let at: Timestamp
    package let kind: Kind
    package let debate: DebateID?
    package let budget: BudgetID?
    /// The beginning of the budget's period.
    package let start: Timestamp?
    package let call: CallReference?
    package let amount: MicroUSD?
    package let spent: MicroUSD

    package init(
        number: Int64, at: Timestamp, kind: Kind, debate: DebateID? = nil, budget: BudgetID? = nil,
        start: Timestamp? = nil, call: CallReference? = nil, amount: MicroUSD? = .zero, spent: MicroUSD = .zero
    ) {
        self.number = number
        self.at = at
        self.kind = kind
        self.debate = debate
        self.budget = budget
        self.start = start
        self.call = call
        self.amount = amount
        self.spent = spent
    }

    package var place: Place? {
        guard let budget, let start else { return nil }
        return Place(budget: budget, start: start)
    }
}
