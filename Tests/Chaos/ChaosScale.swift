/// How long things take in a run: short, so that much happens in little time, or as a product is really set.
struct ChaosScale: Sendable {
    /// How long a drained process may take before it is killed, as a kubelet would.
    let graceSeconds: Int
    let workerDrainSeconds: Int
    /// The longest time for which clients still come to a process that was asked to go; 0 for none.
    let lateSeconds: Int
    /// What providers do when nothing is wrong with them.
    let providers: String

    static let brief = ChaosScale(isFullSize: false, lateSeconds: 0)

    init(isFullSize: Bool, lateSeconds: Int) {
        self.lateSeconds = lateSeconds
        graceSeconds = isFullSize ? 60 : lateSeconds + 12
        workerDrainSeconds = isFullSize ? 25 : 2
        let latency = isFullSize ? (1000, 8000) : (50, 150)
        providers =
            #"{"seed":7,"latency":{"kind":"uniform","min_ms":\#(latency.0),"max_ms":\#(latency.1)},"answer_words":40}"#
    }

    /// Settings of every process that follow from this.
    var environment: [String: String] {
        var settings = ["WORKER_DRAIN_SECONDS": String(workerDrainSeconds)]
        if lateSeconds > 0 { settings["ARAGORA_DRAIN_DELAY_SECONDS"] = String(lateSeconds + 1) }
        return settings
    }
}
