import HTTPClient

/// Reads how long a provider asks us to wait (RFC 9110 §10.2.3, and OpenAI's `retry-after-ms`).
enum RetryAfter {
    /// - Parameter now: milliseconds since 1970.
    static func milliseconds(_ headers: HTTPClientHeaders, now: Int64) -> Int64? {
        guard let value = precise(headers) ?? whole(headers, now: now) else { return nil }
        return min(max(0, value), ErrorReport.maxRetryAfterMilliseconds)
    }

    private static func precise(_ headers: HTTPClientHeaders) -> Int64? {
        headers["retry-after-ms"].flatMap { Double($0) }.flatMap(bounded)
    }

    private static func whole(_ headers: HTTPClientHeaders, now: Int64) -> Int64? {
        guard let text = headers["retry-after"] else { return nil }
        if let seconds = Double(text) { return bounded(seconds * 1000) }
        return date(text).map { $0 - now }
    }

    private static func bounded(_ value: Double) -> Int64? {
        value.isFinite ? Int64(min(max(0, value), Double(ErrorReport.maxRetryAfterMilliseconds))) : nil
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Milliseconds since 1970 of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, time.allSatisfy({ (0...60).contains($0) }) else { return nil }
        let days = daysSince1970(year: year, month: Int64(month) + 1, day: day)
        return (days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]) * 1000
    }

    /// Days of the proleptic Gregorian calendar, counted in years that begin in March.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
