import Glibc

/// Reads the system's clocks. Logic takes times as values; only shells call this.
package enum WallClock {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package static func nowMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package static func nowNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A point on the clock that also advances while the machine sleeps (CLOCK_BOOTTIME), which leases are measured by.
package struct BootInstant: Sendable, Comparable {
    /// Nanoseconds since boot.
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func now() -> BootInstant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The instant `duration` later, or the last one there is.
    package func advanced(by duration: Duration) -> BootInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanosecondsClamped)
        return BootInstant(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func < (left: BootInstant, right: BootInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time from `earlier` to this instant.
    package func since(_ earlier: BootInstant) -> Duration { .nanoseconds(nanoseconds - earlier.nanoseconds) }
}

extension Duration {
    /// Whole nanoseconds, clamped to what 64 bits hold.
    package var nanosecondsClamped: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooMuch) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isOneTooMuch) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isTooMuch || isOneTooMuch ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole milliseconds, rounded towards zero.
    package var milliseconds: Int64 { nanosecondsClamped / 1_000_000 }

    /// Seconds as a fraction, for metrics and logs.
    package var secondsValue: Double { Double(nanosecondsClamped) / 1e9 }
}
