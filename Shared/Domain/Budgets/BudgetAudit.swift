/// Replays the entries of budgets and says what was not right about them. Knows nothing of how they came about.
package struct BudgetAudit: Sendable {
    /// What a debate has.
    package struct Account: Hashable, Sendable {
        package var limit: MicroUSD?
        package var reserved: [CallReference: MicroUSD] = [:]
        package var unknown: [CallReference: MicroUSD] = [:]
        package var spent: Int64 = 0
        /// By budget.
        package var granted: [BudgetEntry.Place: Int64] = [:]
        package var isClosed = false

        package var reservedTotal: Int64 { reserved.values.reduce(0) { $0 + $1.amount } }
    }

    /// What a budget has in a period.
    package struct Period: Hashable, Sendable {
        package var spent: Int64 = 0
        package var allocated: Int64 = 0
        /// Of both together, ever.
        package var peak: Int64 = 0
    }

    package private(set) var accounts: [DebateID: Account] = [:]
    package private(set) var periods: [BudgetEntry.Place: Period] = [:]
    /// Nil inside: no limit.
    package private(set) var limits: [BudgetID: MicroUSD?] = [:]
    package private(set) var refusals = 0
    /// One sentence each; empty when everything was right.
    package private(set) var faults: [String] = []

    package init() {}

    /// Takes the next entry in.
    package mutating func take(_ entry: BudgetEntry) {
        switch entry.kind {
        case .limit: if let budget = entry.budget { limits[budget] = .some(entry.amount) }
        case .open: open(entry)
        case .grant, .overrun: grant(entry)
        case .reserve: reserve(entry)
        case .settle, .unknown: settle(entry)
        case .correct: correct(entry)
        case .refuse: refuse(entry)
        case .return: giveBack(entry)
        case .close: close(entry)
        }
    }

    /// What is wrong when every debate is over: money that somebody still holds.
    package var leftovers: [String] {
        accounts.sorted { $0.key < $1.key }.flatMap { debate, account -> [String] in
            var all = account.isClosed ? [] : ["\(debate) is not closed"]
            if account.reservedTotal != 0 { all.append("\(debate) still reserves \(account.reservedTotal)") }
            for (_, granted) in account.granted where granted != 0 { all.append("\(debate) still has \(granted)") }
            return all
        } + periods.values.filter { $0.allocated != 0 }.map { "\($0.allocated) are still allocated" }
    }

    private mutating func fault(_ entry: BudgetEntry, _ what: String) {
        faults.append("entry \(entry.number), \(entry.kind.rawValue): \(what)")
    }

    private mutating func open(_ entry: BudgetEntry) {
        guard let debate = entry.debate, accounts[debate] == nil else { return fault(entry, "opened twice") }
        accounts[debate] = Account(limit: entry.amount)
    }

    /// Changes the account of the entry's debate, which must be open.
    private mutating func withAccount(_ entry: BudgetEntry, _ body: (inout Account) -> String?) {
        guard let debate = entry.debate, var account = accounts[debate] else { return fault(entry, "no account") }
        if let problem = body(&account) { fault(entry, problem) }
        accounts[debate] = account
    }

    private func remainder(of place: BudgetEntry.Place) -> Int64? {
        guard case .some(.some(let limit)) = limits[place.budget] else { return nil }
        let period = periods[place] ?? Period()
        return limit.amount - period.spent - period.allocated
    }

    private mutating func grant(_ entry: BudgetEntry) {
        guard let place = entry.place, let amount = entry.amount?.amount, amount > 0 else {
            return fault(entry, "grants nothing")
        }
        if entry.kind == .grant, let left = remainder(of: place), left < amount {
            fault(entry, "grants \(amount) of \(left)")
        }
        change(place) { $0.allocated += amount }
        withAccount(entry) { account in
            account.granted[place, default: 0] += amount
            return account.isClosed ? "granted after the end" : nil
        }
    }

    private mutating func change(_ place: BudgetEntry.Place, _ body: (inout Period) -> Void) {
        body(&periods[place, default: Period()])
        let period = periods[place] ?? Period()
        periods[place]?.peak = max(period.peak, period.spent + period.allocated)
    }

    private mutating func reserve(_ entry: BudgetEntry) {
        withAccount(entry) { account in
            guard let call = entry.call, let amount = entry.amount else { return "no call" }
            guard account.reserved[call] == nil else { return "\(call.key) is reserved twice" }
            account.reserved[call] = amount
            let committed = account.spent + account.reservedTotal
            if let limit = account.limit, committed > limit.amount { return "\(committed) of its own \(limit.amount)" }
            if let short = account.granted.values.first(where: { $0 < committed }) {
                return "\(committed) committed of \(short) granted"
            }
            return account.isClosed ? "reserved after the end" : nil
        }
    }

    private mutating func settle(_ entry: BudgetEntry) {
        withAccount(entry) { account in
            guard let call = entry.call else { return "no call" }
            account.spent += entry.spent.amount
            guard let held = account.reserved.removeValue(forKey: call) else {
                return "\(call.key) had reserved nothing"
            }
            if entry.kind == .unknown { account.unknown[call] = entry.spent }
            if held != entry.amount { return "gives back \(entry.amount?.amount ?? 0) of \(held.amount)" }
            return entry.kind == .unknown && entry.spent != held ? "an unknown call costs \(entry.spent.amount)" : nil
        }
    }

    private mutating func correct(_ entry: BudgetEntry) {
        if let place = entry.place { return change(place) { $0.spent += entry.spent.amount } }
        withAccount(entry) { account in
            account.spent += entry.spent.amount
            guard let call = entry.call, account.unknown.removeValue(forKey: call) != nil else {
                return "was not unknown"
            }
            return nil
        }
    }

    /// A refusal is right only when what the debate has left and what the period has left do not cover the phase.
    private mutating func refuse(_ entry: BudgetEntry) {
        refusals += 1
        guard let debate = entry.debate, let account = accounts[debate], let needed = entry.amount?.amount else {
            return fault(entry, "no account")
        }
        let committed = account.spent + account.reservedTotal
        if let place = entry.place {
            let covered = (account.granted[place] ?? 0) - committed + (remainder(of: place) ?? .max / 2)
            if covered >= needed { fault(entry, "\(needed) refused although \(covered) were there") }
        } else if let limit = account.limit, limit.amount - committed >= needed {
            fault(entry, "\(needed) refused although \(limit.amount - committed) of its own were left")
        }
    }

    private mutating func giveBack(_ entry: BudgetEntry) {
        guard let place = entry.place, let amount = entry.amount?.amount else { return fault(entry, "returns nothing") }
        change(place) {
            $0.allocated -= amount
            $0.spent += entry.spent.amount
        }
        withAccount(entry) { account in
            account.granted[place, default: 0] -= amount
            return account.granted[place, default: 0] < 0 ? "returns more than it has" : nil
        }
    }

    private mutating func close(_ entry: BudgetEntry) {
        withAccount(entry) { account in
            account.isClosed = true
            if account.reservedTotal != 0 { return "ends with \(account.reservedTotal) reserved" }
            return account.granted.values.contains { $0 != 0 } ? "ends with an allocation" : nil
        }
    }
}
