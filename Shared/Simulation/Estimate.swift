import Glibc

/// A measured number and its 95 % confidence interval.
package struct Estimate: Hashable, Sendable {
    /// Standard errors to each side (normal approximation).
    static let width = 1.959964

    package let value: Double
    package let standardError: Double
    package var low: Double { value - Self.width * standardError }
    package var high: Double { value + Self.width * standardError }

    init(_ value: Double, standardError: Double) {
        self.value = value
        self.standardError = standardError
    }

    /// The mean of independent observations.
    init(meanOf values: [Double]) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / max(1, count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(mean, standardError: count > 1 ? (squares / (count - 1) / count).squareRoot() : 0)
    }

    /// How often something was so.
    init(share hits: Int, of count: Int) {
        let share = Double(hits) / Double(max(1, count))
        self.init(share, standardError: (share * (1 - share) / Double(max(1, count))).squareRoot())
    }

    /// Mean of `parts` over mean of `wholes`, observed in pairs (delta method).
    init(ratioOf parts: [Double], to wholes: [Double]) {
        let count = Double(parts.count)
        let whole = wholes.reduce(0, +) / count
        let ratio = whole == 0 ? 0 : parts.reduce(0, +) / count / whole
        let residuals = zip(parts, wholes).map { $0 - ratio * $1 }
        self.init(ratio, standardError: whole == 0 ? 0 : Estimate(meanOf: residuals).standardError / abs(whole))
    }
}

/// What probability theory says.
package enum ClosedForm {
    /// The probability that more than half of `voters` are right, each with the probability `competence` (Condorcet).
    package static func majority(of voters: Int, competence: Double) -> Double {
        (voters / 2 + 1...voters).reduce(0) { sum, right in
            sum + choose(voters, right) * pow(competence, Double(right))
                * pow(1 - competence, Double(voters - right))
        }
    }

    private static func choose(_ all: Int, _ some: Int) -> Double {
        (0..<some).reduce(1) { $0 * Double(all - $1) / Double($1 + 1) }
    }
}

/// How well a score tells two kinds apart.
enum RankStatistics {
    /// The area under the ROC curve: the probability that a positive scores above a negative, ties counted half; by ranks
    /// (Mann and Whitney). The standard error is Hanley and McNeil's (1982).
    static func areaUnderCurve(positives: [Double], negatives: [Double]) -> Estimate {
        let all = (positives.map { ($0, true) } + negatives.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var ranks = 0.0
        var start = 0
        while start < all.count {
            var end = start
            while end < all.count, all[end].0 == all[start].0 { end += 1 }
            // Equal scores share the mean of their ranks.
            let mean = Double(start + 1 + end) / 2
            ranks += mean * Double(all[start..<end].count { $0.1 })
            start = end
        }
        let (p, n) = (Double(positives.count), Double(negatives.count))
        let area = (ranks - p * (p + 1) / 2) / (p * n)
        let (q1, q2) = (area / (2 - area), 2 * area * area / (1 + area))
        let variance = (area * (1 - area) + (p - 1) * (q1 - area * area) + (n - 1) * (q2 - area * area)) / (p * n)
        return Estimate(area, standardError: max(0, variance).squareRoot())
    }
}
