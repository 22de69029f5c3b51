import Glibc

extension [Double] {
    /// The middle value; 0 without any.
    var median: Double { percentile(50) }

    /// Nearest rank; 0 without values.
    func percentile(_ percent: Double) -> Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        let rank = Int((percent / 100 * Double(count)).rounded(.up))
        return sorted[Swift.min(count, Swift.max(1, rank)) - 1]
    }
}

/// Numbers for people.
enum NumberText {
    /// Three digits that count; whole numbers from 100 on.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let magnitude = abs(value)
        let decimals = magnitude >= 100 || magnitude == 0 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
        let scale = pow(10, Double(decimals))
        let rounded = (value * scale).rounded() / scale
        return decimals == 0 ? String(Int64(rounded)) : String(rounded)
    }
}
