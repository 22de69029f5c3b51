package import Domain

extension Timestamp {
    /// UTC with milliseconds, `2026-01-02T03:04:05.678Z`: the one form that we write and hash (RFC 3339).
    ///
    /// Holds for the years 0 to 9999; what lies beyond is clamped.
    package var iso8601: String { String(decoding: iso8601Bytes, as: UTF8.self) }

    var iso8601Bytes: [UInt8] {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let days = Int(clamped.flooredDividing(by: 86_400_000))
        let time = Int(clamped - Int64(days) * 86_400_000)
        let (year, month, day) = CivilDate.fromDays(days)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func digits(_ value: Int, _ count: Int, then mark: Unicode.Scalar) {
            var divisor = count == 4 ? 1000 : count == 3 ? 100 : 10
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
                divisor /= 10
            }
            text.append(UInt8(ascii: mark))
        }
        digits(year, 4, then: "-")
        digits(month, 2, then: "-")
        digits(day, 2, then: "T")
        digits(time / 3_600_000, 2, then: ":")
        digits(time / 60_000 % 60, 2, then: ":")
        digits(time / 1000 % 60, 2, then: ".")
        digits(time % 1000, 3, then: "Z")
        return text
    }

    /// Reads the form that ``iso8601`` writes, and nothing else; nil for a date that does not exist.
    package init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].allSatisfy { $0 &- 0x30 < 10 } ? bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), let fraction = number(20..<23),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = CivilDate.toDays(year: year, month: month, day: day)
        let seconds = (days * 24 + hour) * 3600 + minute * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(fraction))
        guard iso8601Bytes == bytes else { return nil }
    }
}

/// The Gregorian calendar by days since 1970 (Howard Hinnant's `civil_from_days`).
private enum CivilDate {
    static func fromDays(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.flooredDividing(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    static func toDays(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year.flooredDividing(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension BinaryInteger {
    fileprivate func flooredDividing(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
