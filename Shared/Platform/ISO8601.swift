/// UTC times with milliseconds, `2026-01-02T03:04:05.678Z`: the one text form of time on every wire.
package enum ISO8601 {
    /// The first and the last time that has this form: the years 0000 to 9999.
    static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// - Parameter milliseconds: since 1970; times beyond the years 0 to 9999 are written as the nearest one within.
    package static func string(milliseconds: Int64) -> String {
        let milliseconds = min(max(milliseconds, range.lowerBound), range.upperBound)
        let (days, msOfDay) = milliseconds.flooredDivision(by: 86_400_000)
        let (year, month, day) = civil(fromDays: days)
        let second = msOfDay / 1000
        var out = [UInt8]()
        out.reserveCapacity(24)
        appendPadded(Int64(year), 4, to: &out)
        out.append(0x2D)
        appendPadded(Int64(month), 2, to: &out)
        out.append(0x2D)
        appendPadded(Int64(day), 2, to: &out)
        out.append(0x54)
        appendPadded(second / 3600, 2, to: &out)
        out.append(0x3A)
        appendPadded(second / 60 % 60, 2, to: &out)
        out.append(0x3A)
        appendPadded(second % 60, 2, to: &out)
        out.append(0x2E)
        appendPadded(msOfDay % 1000, 3, to: &out)
        out.append(0x5A)
        return String(decoding: out, as: UTF8.self)
    }

    /// Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.fff]Z`, or nil when the text has another form.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == 0x5A, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54,
            bytes[13] == 0x3A, bytes[16] == 0x3A,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), (1...daysInMonth(month, of: year)).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == 0x2E, bytes.count <= 30, number(bytes[20..<(bytes.count - 1)]) != nil else { return nil }
            let digits = (Array(bytes[20..<(bytes.count - 1)]) + [0x30, 0x30]).prefix(3)
            fraction = number(digits) ?? 0
        }
        let days = daysFromCivil(year: year, month: month, day: day)
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    private static func appendPadded(_ value: Int64, _ width: Int, to out: inout [UInt8]) {
        let digits = Array(String(value).utf8)
        out.append(contentsOf: repeatElement(0x30, count: max(0, width - digits.count)))
        out.append(contentsOf: digits)
    }

    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days and days_from_civil.
    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Quotient rounded down and the non-negative remainder.
    fileprivate func flooredDivision(by divisor: Int64) -> (Int64, Int64) {
        let remainder = ((self % divisor) + divisor) % divisor
        return ((self - remainder) / divisor, remainder)
    }
}
