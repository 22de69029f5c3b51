import Sockets

/// Sends at a fixed rate, whatever comes back, and counts time from when each was due: a server that stalls can not slow
/// its own load down.
enum OpenLoop {
    /// Timers of a loop tick in milliseconds; who is later than this was held up, and that counts.
    private static let timerTick = Duration.milliseconds(2)

    struct Result: Sendable {
        /// Milliseconds from when it was due to its end.
        let latencies: [Double]
        let failures: [String]
        let seconds: Double
    }

    static func run(
        perSecond rate: Double, seconds: Double, on loops: [EventLoop],
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Result {
        let began = MonotonicTime.now()
        let count = Int(rate * seconds)
        let all = await withTaskGroup(of: [(Double, String?)].self) { group in
            // Each loop sends its share: nothing is sent from another thread.
            for (index, loop) in loops.enumerated() {
                group.addTask(executorPreference: loop) {
                    await share(index, of: loops.count, count: count, rate: rate, began: began, loop, body)
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        return Result(
            latencies: all.filter { $0.1 == nil }.map(\.0), failures: all.compactMap(\.1),
            seconds: Double(MonotonicTime.now() - began) / 1e9)
    }

    private static func share(
        _ index: Int, of loops: Int, count: Int, rate: Double, began: Int64, _ loop: EventLoop,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async -> [(Double, String?)] {
        await withTaskGroup(of: (Double, String?).self) { group in
            for number in stride(from: index, to: count, by: loops) {
                let due = began + Int64(Double(number) / rate * 1e9)
                let wait = due - MonotonicTime.now()
                if wait > 0 { try? await loop.sleep(for: .nanoseconds(wait)) }
                let now = MonotonicTime.now()
                let start = now - due < timerTick.nanosecondsValue ? now : due
                group.addTask(executorPreference: loop) {
                    do {
                        try await body(index)
                        return (Double(MonotonicTime.now() - start) / 1e6, nil)
                    } catch {
                        return (0, "\(error)")
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}
