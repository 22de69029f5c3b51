/// A point in time: UTC, whole milliseconds since 1970.
package struct Timestamp: Hashable, Sendable, Comparable {
    package let milliseconds: Int64
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }
}

/// A number with four decimals, exact: confidences, agreements, similarities, seconds.
///
/// Rounded where it is made, so that every process and language prints and hashes the same digits.
package struct Ratio: Hashable, Sendable, Comparable {
    package let tenThousandths: Int64

    package init(tenThousandths: Int64) { self.tenThousandths = tenThousandths }

    /// Rounds half away from zero; what is not finite becomes 0.
    package init(_ value: Double) {
        let scaled = (value * 10_000).rounded()
        tenThousandths = scaled.isFinite && abs(scaled) < 9e15 ? Int64(scaled) : 0
    }

    /// `part` of `whole`; 0 when `whole` is 0.
    package init(_ part: Int, of whole: Int) {
        self.init(whole == 0 ? 0 : Double(part) / Double(whole))
    }

    package static let zero = Ratio(tenThousandths: 0)
    package static let one = Ratio(tenThousandths: 10_000)
    package var value: Double { Double(tenThousandths) / 10_000 }
    package static func < (left: Ratio, right: Ratio) -> Bool { left.tenThousandths < right.tenThousandths }
}

/// Money in millionths of a US dollar.
package struct MicroUSD: Hashable, Sendable, Comparable {
    package let amount: Int64
    package init(_ amount: Int64) { self.amount = amount }
    package static let zero = MicroUSD(0)
    package static func + (left: MicroUSD, right: MicroUSD) -> MicroUSD { MicroUSD(left.amount &+ right.amount) }
    package static func < (left: MicroUSD, right: MicroUSD) -> Bool { left.amount < right.amount }
}

/// Where debates may be; the last four are terminal and written once.
package enum DebateStatus: String, Sendable, CaseIterable {
    case queued, running, paused, completed, failed, cancelled, timeout

    package var isTerminal: Bool {
        switch self {
        case .queued, .running, .paused: false
        case .completed, .failed, .cancelled, .timeout: true
        }
    }
}

/// What one input field has wrong; shown to the client as `errors[]`.
package struct FieldProblem: Hashable, Sendable {
    package let field: String
    package let message: String
    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }
}

/// Input that is refused, with every problem that was found.
package struct ValidationFailure: Error, Sendable {
    package let problems: [FieldProblem]
    package init(_ problems: [FieldProblem]) { self.problems = problems }
}
