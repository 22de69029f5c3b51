/// Counts over a window that moves with time: a ring of slots of equal length, the oldest of which is forgotten.
package struct RollingCounts: Sendable {
    package struct Counts: Sendable, Equatable {
        package var all = 0
        package var failed = 0
        package var slow = 0

        package init(all: Int = 0, failed: Int = 0, slow: Int = 0) {
            self.all = all
            self.failed = failed
            self.slow = slow
        }

        static func += (left: inout Counts, right: Counts) {
            left.all += right.all
            left.failed += right.failed
            left.slow += right.slow
        }
    }

    private let slotNanoseconds: Int64
    private var slots: [(number: Int64, counts: Counts)]

    /// - Parameters:
    ///   - slot: how exactly the window ends.
    ///   - count: slots that are remembered, the present one included.
    package init(slot: Duration, count: Int) {
        slotNanoseconds = slot.nanosecondsClamped
        slots = Array(repeating: (.min, Counts()), count: count)
    }

    /// - Parameter now: nanoseconds of a clock that does not go back.
    package mutating func add(_ counts: Counts, at now: Int64) {
        let number = now / slotNanoseconds
        let index = Int(number % Int64(slots.count))
        if slots[index].number != number { slots[index] = (number, Counts()) }
        slots[index].counts += counts
    }

    /// What was counted within the window that ends at `now`; with `whole`, in its finished slots only, one slot less.
    package func sum(at now: Int64, whole: Bool = false) -> Counts {
        let present = now / slotNanoseconds
        let range = (present - Int64(slots.count) + 1)...(whole ? present - 1 : present)
        return slots.reduce(into: Counts()) { sum, slot in
            if range.contains(slot.number) { sum += slot.counts }
        }
    }
}
