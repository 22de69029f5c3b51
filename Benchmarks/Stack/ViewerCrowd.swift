import Platform
import Sockets

/// Many viewers of one debate, and when each event reached them.
final class ViewerCrowd: Sendable {
    private struct State {
        /// When each event was published, by its number from 0.
        var published: [Int64] = []
        var delivered = 0
        var latencies: [Double] = []
        var goal: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Lock(State())
    private let viewers = Lock<[FrameCounter]>([])

    /// Connects `count` viewers, a few at a time, and returns when all are live.
    static func connect(
        _ count: Int, on loops: [EventLoop], port: UInt16, target: String, dialect: FrameCounter.Dialect
    ) async throws -> ViewerCrowd {
        let crowd = ViewerCrowd()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<32 {
                let loop = loops[lane % loops.count]
                group.addTask(executorPreference: loop) {
                    for _ in stride(from: lane, to: count, by: 32) {
                        let viewer = try await FrameCounter.connect(
                            loop: loop, port: port, target: target, dialect: dialect
                        ) { crowd.received($0) }
                        crowd.viewers.withLock { $0.append(viewer) }
                    }
                }
            }
            try await group.waitForAll()
        }
        return crowd
    }

    var count: Int { viewers.withLock { $0.count } }

    /// Call right before an event is published.
    func willPublish() { state.withLock { $0.published.append(MonotonicTime.now()) } }

    /// Waits until everyone has had everything that was published.
    func waitForAll(on loop: EventLoop, deadline: Duration = .seconds(30)) async throws {
        let viewers = count
        let timer = await withCheckedContinuation { (armed: CheckedContinuation<LoopTimer, Never>) in
            loop.execute { armed.resume(returning: loop.schedule(after: deadline) { [self] in giveUp() }) }
        }
        await withCheckedContinuation { continuation in
            let done = state.withLock { state -> Bool in
                let goal = state.published.count * viewers
                guard state.delivered < goal else { return true }
                state.goal = (goal, continuation)
                return false
            }
            if done { continuation.resume() }
        }
        loop.execute { loop.cancel(timer) }
        let (delivered, goal) = state.withLock { ($0.delivered, $0.published.count * viewers) }
        guard delivered >= goal else { throw BenchFailure("\(goal - delivered) of \(goal) deliveries did not come") }
    }

    private func giveUp() {
        state.withLock { state in
            defer { state.goal = nil }
            return state.goal?.continuation
        }?.resume()
    }

    /// Milliseconds from publishing to each viewer since this was last asked, and forgets them.
    func takeLatencies() -> [Double] {
        state.withLock { state in
            defer { state.latencies = [] }
            return state.latencies
        }
    }

    func close() { viewers.withLock { $0.forEach { $0.close() } } }

    private func received(_ number: Int) {
        let now = MonotonicTime.now()
        let reached = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.delivered += 1
            if number <= state.published.count {
                state.latencies.append(Double(now - state.published[number - 1]) / 1e6)
            }
            guard let goal = state.goal, state.delivered >= goal.count else { return nil }
            state.goal = nil
            return goal.continuation
        }
        reached?.resume()
    }
}
