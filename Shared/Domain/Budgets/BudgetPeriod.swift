/// How long a budget's limit holds before it begins anew; in UTC.
package enum BudgetPeriod: String, Sendable, CaseIterable {
    case daily, weekly, monthly, quarterly, yearly, total

    /// A stretch of time with an end that is not part of it.
    package struct Window: Hashable, Sendable {
        package let start: Timestamp
        /// Nil when it never ends.
        package let end: Timestamp?

        package init(start: Timestamp, end: Timestamp?) {
            self.start = start
            self.end = end
        }
    }

    /// The calendar's window around `time`; weeks begin on Monday (ISO 8601).
    package func window(around time: Timestamp) -> Window {
        let day = CivilDate.dayNumber(of: time)
        let date = CivilDate(dayNumber: day)
        switch self {
        case .daily: return Self.window(from: day, to: day + 1)
        case .weekly:
            // Day 0 was a Thursday.
            let monday = day - (((day + 3) % 7) + 7) % 7
            return Self.window(from: monday, to: monday + 7)
        case .monthly: return Self.window(date.year, month: date.month, lasting: 1)
        case .quarterly: return Self.window(date.year, month: (date.month - 1) / 3 * 3 + 1, lasting: 3)
        case .yearly: return Self.window(date.year, month: 1, lasting: 12)
        case .total: return Window(start: Timestamp(milliseconds: 0), end: nil)
        }
    }

    private static func window(_ year: Int64, month: Int64, lasting months: Int64) -> Window {
        let next = month - 1 + months
        return window(
            from: CivilDate(year: year, month: month, day: 1).dayNumber,
            to: CivilDate(year: year + next / 12, month: next % 12 + 1, day: 1).dayNumber)
    }

    private static func window(from day: Int64, to end: Int64) -> Window {
        Window(
            start: Timestamp(milliseconds: day * CivilDate.millisecondsPerDay),
            end: Timestamp(milliseconds: end * CivilDate.millisecondsPerDay))
    }
}

/// A day of the Gregorian calendar, and its number since 1970-01-01.
struct CivilDate: Hashable {
    static let millisecondsPerDay: Int64 = 86_400_000
    /// Days of 400 years, after which the calendar repeats.
    private static let eraDays: Int64 = 146_097
    /// From March 1 of year 0, where a year's odd day comes last, to 1970-01-01.
    private static let epochDay: Int64 = 719_468

    let year: Int64
    /// From 1.
    let month: Int64
    /// From 1.
    let day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(dayNumber: Int64) {
        let shifted = dayNumber + Self.epochDay
        let era = Self.floor(shifted, Self.eraDays)
        let dayOfEra = shifted - era * Self.eraDays
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var dayNumber: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = Self.floor(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * Self.eraDays + dayOfEra - Self.epochDay
    }

    static func dayNumber(of time: Timestamp) -> Int64 { floor(time.milliseconds, millisecondsPerDay) }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }
}
