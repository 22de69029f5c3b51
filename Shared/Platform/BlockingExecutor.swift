import Dispatch

/// Runs blocking work (files, DNS, child processes, password hashing) on a bounded set of threads of its own.
package final class BlockingExecutor: Sendable {
    /// Work that may wait for a thread; one more is refused.
    package static let maxWaiting = 1024

    package struct Saturated: Error, CustomStringConvertible {
        package var description: String { "blocking executor: more than \(BlockingExecutor.maxWaiting) jobs waiting" }
    }

    private let queue: DispatchQueue
    private let slots: DispatchSemaphore
    private let waiting = Lock(0)

    /// - Parameter threads: how many jobs may block at the same time.
    package init(label: String, threads: Int = 4) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        slots = DispatchSemaphore(value: threads)
    }

    /// Runs `body` off the caller's executor and returns its result.
    /// - Throws: ``Saturated`` when too much work waits, or what `body` throws.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        let admitted = waiting.withLock { count in
            guard count < Self.maxWaiting else { return false }
            count += 1
            return true
        }
        guard admitted else { throw Saturated() }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [slots] in
                slots.wait()
                defer { slots.signal() }
                continuation.resume(with: Swift.Result { try body() })
            }
        }
    }
}
