/// Which traces are recorded: the samplers that OpenTelemetry names.
package struct TraceSampler: Sendable, Hashable {
    /// `OTEL_TRACES_SAMPLER` may be one of these.
    package static let names = [
        "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off",
        "parentbased_traceidratio",
    ]

    /// Of traces that begin here; 0 to 1.
    private let share: Double
    /// Whether a trace that began elsewhere is recorded as its beginner decided.
    private let followsParent: Bool

    package static let never = TraceSampler(share: 0, followsParent: false)

    private init(share: Double, followsParent: Bool) {
        self.share = share
        self.followsParent = followsParent
    }

    /// - Parameters:
    ///   - name: of ``names``; nil for any other.
    ///   - share: for those that draw by ratio.
    package init?(_ name: String, share: Double) {
        guard Self.names.contains(name) else { return nil }
        followsParent = name.hasPrefix("parentbased_")
        self.share = name.hasSuffix("always_on") ? 1 : name.hasSuffix("always_off") ? 0 : share
    }

    /// The same answer for one trace in every process: it is drawn from the trace's own random bits.
    package func records(_ trace: TraceID, parent: TraceContext?) -> Bool {
        if followsParent, let parent { return parent.isSampled }
        guard share < 1 else { return true }
        return share > 0 && Double(trace.low >> 1) < share * 0x1p63
    }
}
