package import Platform

extension Metrics {
    /// The settings in force were read just now: at the start, and again whenever a reload has taken effect.
    package func configurationLoaded() {
        set(.configLoaded, to: Double(WallClock.nowMilliseconds()) / 1000)
    }
}
