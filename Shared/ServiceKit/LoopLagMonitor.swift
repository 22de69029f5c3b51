import Platform
import Sockets

/// Measures how late each event loop runs a timer: the sign that something blocks it.
struct LoopLagMonitor: Service {
    static let interval = Duration.seconds(1)

    let name = "loop-lag"
    let context: ServiceContext

    func run(until shutdown: ShutdownSignal) async throws {
        for loop in context.loops {
            loop.execute { measure(loop, shutdown) }
        }
        await shutdown.wait(for: .draining)
    }

    private func measure(_ loop: EventLoop, _ shutdown: ShutdownSignal) {
        let due = MonotonicTime.now() + Self.interval.nanosecondsClamped
        loop.schedule(after: Self.interval) {
            let late = Double(MonotonicTime.now() - due) / 1e9
            context.metrics.observe(.loopLag, [loop.name], max(0, late))
            if shutdown.phase == .running { measure(loop, shutdown) }
        }
    }
}
