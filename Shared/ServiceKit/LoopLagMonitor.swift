package import Platform
package import Sockets

/// Measures how late each event loop runs a timer, and how many jobs wait then: the signs that something blocks it.
package struct LoopLagMonitor: Service {
    static let interval = Duration.seconds(1)

    package let name: String
    private let loops: [EventLoop]
    private let metrics: Metrics

    /// - Parameter loops: of this process; each is named in the metrics.
    package init(name: String = "loop-lag", loops: [EventLoop], metrics: Metrics) {
        self.name = name
        self.loops = loops
        self.metrics = metrics
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        for loop in loops {
            loop.execute { measure(loop, shutdown) }
        }
        await shutdown.wait(for: .draining)
    }

    private func measure(_ loop: EventLoop, _ shutdown: ShutdownSignal) {
        let due = MonotonicTime.now() + Self.interval.nanosecondsClamped
        loop.schedule(after: Self.interval) {
            let late = Double(MonotonicTime.now() - due) / 1e9
            metrics.observe(.loopLag, [loop.name], max(0, late))
            metrics.set(.loopQueue, [loop.name], to: Double(loop.queueDepth))
            if shutdown.phase == .running { measure(loop, shutdown) }
        }
    }
}
