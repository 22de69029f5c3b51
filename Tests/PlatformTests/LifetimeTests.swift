import Dispatch
import Testing

@testable import Platform

@Suite("A shutdown signal", .timeLimit(.minutes(1)))
struct ShutdownSignalTests {
    @Test("drains at the first request and cancels at the second")
    func phases() {
        let signal = ShutdownSignal()
        #expect(signal.phase == .running)
        signal.request()
        #expect(signal.phase == .draining)
        signal.request()
        signal.request()
        #expect(signal.phase == .cancelled)
    }

    @Test("never goes back")
    func forward() {
        let signal = ShutdownSignal()
        signal.advance(to: .cancelled)
        signal.advance(to: .draining)
        #expect(signal.phase == .cancelled)
    }

    @Test("tells each waiter once, at its phase, and late ones at once")
    func callbacks() {
        let signal = ShutdownSignal()
        let told = Lock([String]())
        signal.onReaching(.draining) { told.withLock { $0.append("drain") } }
        signal.onReaching(.cancelled) { told.withLock { $0.append("cancel") } }
        signal.request()
        #expect(told.withLock { $0 } == ["drain"])
        signal.onReaching(.draining) { told.withLock { $0.append("late") } }
        signal.request()
        #expect(told.withLock { $0 } == ["drain", "late", "cancel"])
        #expect(signal.waiters == 0)
    }

    @Test("wakes both of its waits")
    func waits() async {
        let signal = ShutdownSignal()
        async let one: Void = signal.wait(for: .draining)
        async let other: Void = signal.waitOrCancel(for: .draining)
        signal.request()
        _ = await (one, other)
        await signal.waitOrCancel(for: .draining)
        #expect(signal.waiters == 0)
    }

    @Test("forgets a waiter that was cancelled", arguments: [1, 500])
    func cancelled(times: Int) async {
        let signal = ShutdownSignal()
        for _ in 0..<times {
            let task = Task { await signal.waitOrCancel(for: .draining) }
            task.cancel()
            await task.value
        }
        #expect(signal.waiters == 0)
        #expect(signal.phase == .running)
    }
}

@Suite("A group of services", .timeLimit(.minutes(1)))
struct ServiceGroupTests {
    struct Failure: Error, Equatable { let name: String }

    /// Runs until it drains, or does what `end` says.
    struct Worker: Service {
        let name: String
        private let ended = Lock(false)
        var end: @Sendable (ShutdownSignal) async throws -> Void = { await $0.wait(for: .draining) }

        var hasEnded: Bool { ended.withLock { $0 } }

        init(name: String) { self.name = name }

        init(name: String, end: @escaping @Sendable (ShutdownSignal) async throws -> Void) {
            self.name = name
            self.end = end
        }

        func run(until shutdown: ShutdownSignal) async throws {
            defer { ended.withLock { $0 = true } }
            try await end(shutdown)
        }
    }

    @Test("ends without an error once it was asked to")
    func drains() async throws {
        let signal = ShutdownSignal()
        let workers = [Worker(name: "a"), Worker(name: "b")]
        async let run: Void = ServiceGroup(workers, log: .disabled).run(until: signal)
        signal.request()
        try await run
        #expect(workers.map(\.hasEnded) == [true, true])
    }

    @Test("drains the others when one fails, and ends with the first failure")
    func failure() async {
        let signal = ShutdownSignal()
        let steady = Worker(name: "steady")
        let late = Worker(name: "late") {
            await $0.wait(for: .draining); throw Failure(name: "late")
        }
        let broken = Worker(name: "broken") { _ in throw Failure(name: "broken") }
        await #expect(throws: Failure(name: "broken")) {
            try await ServiceGroup([steady, late, broken], log: .disabled).run(until: signal)
        }
        #expect(steady.hasEnded && signal.phase == .draining)
    }

    @Test("takes an early return for an error that names the service")
    func early() async {
        let signal = ShutdownSignal()
        let error = await #expect(throws: ServiceGroup.EndedEarly.self) {
            try await ServiceGroup([Worker(name: "steady"), Worker(name: "brief") { _ in }], log: .disabled).run(
                until: signal)
        }
        #expect(error?.service == "brief")
    }

    @Test("says what fails while it drains, but does not fail for it")
    func failureInDrain() async throws {
        let signal = ShutdownSignal()
        let sink = LogTests.Sink()
        let late = Worker(name: "late") {
            await $0.wait(for: .draining); throw Failure(name: "late")
        }
        async let run: Void = ServiceGroup([late], log: Log(service: "t") { sink.take($0) }).run(until: signal)
        signal.request()
        try await run
        #expect(sink.lines.contains { $0.contains("service failed") })
    }
}

@Suite("The blocking executor", .timeLimit(.minutes(1)))
struct BlockingExecutorTests {
    struct Failure: Error {}

    @Test("returns what the work returns, and throws what it throws")
    func results() async throws {
        let executor = BlockingExecutor(label: "test")
        #expect(try await executor.run { 7 } == 7)
        await #expect(throws: Failure.self) { try await executor.run { throw Failure() } }
    }

    @Test("never runs more jobs at once than it has threads", arguments: [1, 3])
    func bound(threads: Int) async throws {
        let executor = BlockingExecutor(label: "test", threads: threads)
        let state = Lock((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await executor.run {
                        state.withLock {
                            $0.now += 1; $0.most = max($0.most, $0.now)
                        }
                        state.withLock { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(state.withLock { $0.most } <= threads)
    }

    @Test("lets as many wait as its limit says, and refuses one more")
    func saturated() async throws {
        let executor = BlockingExecutor(label: "test", threads: 2)
        let gate = DispatchSemaphore(value: 0)
        let done = Lock(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<(2 + BlockingExecutor.maxWaiting) {
                group.addTask {
                    try await executor.run {
                        gate.wait()
                        done.withLock { $0 += 1 }
                    }
                }
            }
            while executor.waiting < BlockingExecutor.maxWaiting { await Task.yield() }
            await #expect(throws: BlockingExecutor.Saturated.self) { try await executor.run {} }
            for _ in 0..<(2 + BlockingExecutor.maxWaiting) { gate.signal() }
            try await group.waitForAll()
        }
        #expect(done.withLock { $0 } == 2 + BlockingExecutor.maxWaiting)
        #expect(executor.waiting == 0)
        #expect(try await executor.run { 1 } == 1)
    }
}
