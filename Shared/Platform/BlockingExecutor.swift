import Dispatch

/// Runs blocking work (files, DNS, child processes, password hashing) on a bounded set of threads of its own.
package final class BlockingExecutor: Sendable {
    /// Work that may wait for a thread; one more is refused.
    package static let maxWaiting = 1024

    package struct Saturated: Error, CustomStringConvertible {
        package var description: String { "blocking executor: more than \(BlockingExecutor.maxWaiting) jobs waiting" }
    }

    private typealias Job = @Sendable () -> Void

    private struct State {
        var running = 0
        var waiting: [Job] = []
    }

    private let queue: DispatchQueue
    private let threads: Int
    private let state = Lock(State())

    /// - Parameter threads: how many jobs may block at the same time.
    package init(label: String, threads: Int = 4) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.threads = threads
    }

    /// Jobs that wait for a thread now.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` off the caller's executor and returns its result.
    /// - Throws: ``Saturated`` when too much work waits, or what `body` throws.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let isAdmitted = admit { continuation.resume(with: Swift.Result { try body() }) }
            if !isAdmitted { continuation.resume(throwing: Saturated()) }
        }
    }

    private func admit(_ job: @escaping Job) -> Bool {
        let (isAdmitted, mustStart) = state.withLock { state in
            if state.running < threads {
                state.running += 1
                return (true, true)
            }
            guard state.waiting.count < Self.maxWaiting else { return (false, false) }
            state.waiting.append(job)
            return (true, false)
        }
        // A job that waits holds no thread: those of Dispatch are few, and others need them.
        if mustStart { queue.async { self.work(job) } }
        return isAdmitted
    }

    private func work(_ first: @escaping Job) {
        var next: Job? = first
        while let job = next {
            job()
            next = state.withLock { state in
                guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
                state.running -= 1
                return nil
            }
        }
    }
}
