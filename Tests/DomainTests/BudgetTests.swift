import Testing

@testable import Domain

/// Periods, chunks and the audit, without a database.
struct BudgetRuleTests {
    private func time(_ year: Int64, _ month: Int64, _ day: Int64, ms: Int64 = 0) -> Timestamp {
        Timestamp(milliseconds: CivilDate(year: year, month: month, day: day).dayNumber * 86_400_000 + ms)
    }

    @Test("a day has one number and a number one day, for a thousand years around now")
    func civil() {
        var last = CivilDate(dayNumber: -200_000)
        for number in Int64(-199_999)...300_000 {
            let date = CivilDate(dayNumber: number)
            guard date.dayNumber == number else { return #expect(Bool(false), "day \(number) is \(date)") }
            let follows =
                date.day == last.day + 1 && date.month == last.month
                || date.day == 1 && last.day >= 28
                    && (date.month == last.month + 1 || date.month == 1 && last.month == 12)
            guard follows else { return #expect(Bool(false), "\(date) does not follow \(last)") }
            last = date
        }
        #expect(CivilDate(year: 1970, month: 1, day: 1).dayNumber == 0)
        #expect(CivilDate(year: 2000, month: 2, day: 29).dayNumber == 11_016)
    }

    @Test("a window holds its moment, ends where the next begins, and never changes inside")
    func windows() {
        var random = SeededRandom("budget windows")
        for period in BudgetPeriod.allCases where period != .total {
            for _ in 0..<2000 {
                let moment = Timestamp(milliseconds: Int64(random.next() % 7_258_118_400_000))
                let window = period.window(around: moment)
                guard let end = window.end else { return #expect(Bool(false), "no end") }
                #expect(window.start <= moment && moment < end)
                #expect(period.window(around: window.start) == window)
                #expect(period.window(around: Timestamp(milliseconds: end.milliseconds - 1)) == window)
                #expect(period.window(around: end).start == end)
            }
        }
    }

    @Test("the calendar, at its corners")
    func calendar() {
        #expect(BudgetPeriod.weekly.window(around: time(2026, 11, 22, ms: 86_399_999)).start == time(2026, 11, 16))
        #expect(BudgetPeriod.monthly.window(around: time(2024, 2, 29)).end == time(2024, 3, 1))
        #expect(BudgetPeriod.monthly.window(around: time(2025, 12, 31)).end == time(2026, 1, 1))
        #expect(BudgetPeriod.quarterly.window(around: time(2026, 11, 21)).start == time(2026, 10, 1))
        #expect(BudgetPeriod.yearly.window(around: time(2026, 1, 1)).start == time(2026, 1, 1))
        #expect(BudgetPeriod.total.window(around: time(2026, 1, 1)).end == nil)
    }

    @Test("a grant covers what is missing, never more than there is, and is nil only when there is not enough")
    func chunks() {
        var random = SeededRandom("budget chunks")
        for _ in 0..<10_000 {
            let missing = MicroUSD(Int64(random.next() % 1000) + 1)
            let remainder = MicroUSD(Int64(random.next() % 20_000))
            let grant = BudgetChunk.grant(missing: missing, remainder: remainder)
            #expect((grant == nil) == (remainder < missing))
            if let grant { #expect(grant >= missing && grant <= remainder && grant.amount <= missing.amount * 4) }
        }
    }

    @Test("of many that take in turn until one is refused, what is left does not cover the refused")
    func exhaustion() {
        var random = SeededRandom("budget exhaustion")
        for _ in 0..<200 {
            var left = MicroUSD(Int64(random.next() % 100_000))
            while true {
                let missing = MicroUSD(Int64(random.next() % 5000) + 1)
                guard let grant = BudgetChunk.grant(missing: missing, remainder: left) else {
                    #expect(left < missing)
                    break
                }
                left = MicroUSD(left.amount - grant.amount)
                #expect(left >= .zero)
            }
        }
    }

    // MARK: The audit finds what is wrong

    private static let debate = DebateID(milliseconds: 1, random: [UInt8](repeating: 1, count: 10))
    private static let budget = BudgetID(milliseconds: 1, random: [UInt8](repeating: 2, count: 10))
    private static let call = CallReference(key: CallKey("r1/propose/a"), attempt: 1)

    private static func entry(_ kind: BudgetEntry.Kind, _ amount: Int64?, spent: Int64 = 0) -> BudgetEntry {
        let ofCall: Set<BudgetEntry.Kind> = [.reserve, .settle, .unknown, .correct]
        let ofPeriod: Set<BudgetEntry.Kind> = [.grant, .return, .refuse, .overrun]
        return BudgetEntry(
            number: 1, at: Timestamp(milliseconds: 0), kind: kind, debate: kind == .limit ? nil : debate,
            budget: ofPeriod.contains(kind) || kind == .limit ? budget : nil,
            start: ofPeriod.contains(kind) ? Timestamp(milliseconds: 0) : nil, call: ofCall.contains(kind) ? call : nil,
            amount: amount.map { MicroUSD($0) }, spent: MicroUSD(spent))
    }

    private static func audit(_ entries: [BudgetEntry]) -> BudgetAudit {
        var audit = BudgetAudit()
        for entry in entries { audit.take(entry) }
        return audit
    }

    @Test("a whole life has no fault")
    func sound() {
        let audit = Self.audit([
            Self.entry(.limit, 100), Self.entry(.open, nil), Self.entry(.grant, 60), Self.entry(.reserve, 50),
            Self.entry(.unknown, 50, spent: 50), Self.entry(.correct, 0, spent: -20), Self.entry(.refuse, 101),
            Self.entry(.return, 60, spent: 30), Self.entry(.close, 0),
        ])
        #expect(audit.faults == [] && audit.leftovers == [])
        #expect(audit.periods.values.map(\.spent) == [30])
    }

    @Test(
        "what must not happen is found",
        arguments: [
            ("grants more than is left", [entry(.limit, 100), entry(.open, nil), entry(.grant, 101)]),
            (
                "reserves more than was granted",
                [entry(.limit, 100), entry(.open, nil), entry(.grant, 10), entry(.reserve, 11)]
            ),
            ("reserves more than its own limit", [entry(.open, 10), entry(.reserve, 11)]),
            ("reserves twice", [entry(.open, nil), entry(.reserve, 1), entry(.reserve, 1)]),
            ("settles what was not reserved", [entry(.open, nil), entry(.settle, 1, spent: 1)]),
            ("gives back another sum", [entry(.open, nil), entry(.reserve, 2), entry(.settle, 1, spent: 1)]),
            ("refuses what is covered", [entry(.limit, 100), entry(.open, nil), entry(.refuse, 100)]),
            ("returns more than it has", [entry(.limit, 100), entry(.open, nil), entry(.grant, 5), entry(.return, 6)]),
            ("ends with a reservation", [entry(.open, nil), entry(.reserve, 1), entry(.close, 0)]),
            ("opens twice", [entry(.open, nil), entry(.open, nil)]),
            (
                "corrects what was known",
                [entry(.open, nil), entry(.reserve, 1), entry(.settle, 1, spent: 1), entry(.correct, 0, spent: 1)]
            ),
        ])
    func faults(what: String, entries: [BudgetEntry]) {
        #expect(Self.audit(entries).faults.count == 1, "\(what)")
    }

    @Test("what nobody returned is named")
    func leftovers() {
        let audit = Self.audit([
            Self.entry(.limit, 100), Self.entry(.open, nil), Self.entry(.grant, 60), Self.entry(.reserve, 50),
        ])
        #expect(audit.leftovers.count == 4)
    }
}
