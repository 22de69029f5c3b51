import CLinux
import Glibc
import Platform

/// One thread that waits in epoll and runs, in turn: descriptor handlers, timers, Swift jobs and end-of-turn callbacks.
///
/// It is both a `SerialExecutor` (actors pin themselves to it by `unownedExecutor`) and a `TaskExecutor` (tasks started
/// with `executorPreference:` stay on it), so a request never leaves its thread. Nothing that blocks may run here.
@safe package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // `remote` is locked; every other mutable property is touched by the loop's own thread only.

    /// Jobs run before the loop looks at its descriptors again, so that neither starves the other.
    static let maxJobsPerTurn = 1024
    static let maxEventsPerTurn = 256
    /// Bytes of the read buffer that all connections of this loop share.
    package static let scratchBytes = 64 * 1024

    private struct Remote {
        var jobs: [UnownedJob] = []
        var callbacks: [@Sendable () -> Void] = []
        var woken = false
        var stopped = false
    }

    package let name: String
    private let epoll: Int32
    private let wakeup: Int32
    private let remote = Lock(Remote())
    // Written once, by the thread itself, while `init` still holds the loop back from everybody else.
    private nonisolated(unsafe) var thread = pthread_t()

    private var jobs: [UnownedJob] = []
    private var endOfTurn: [@Sendable () -> Void] = []
    /// Transports with something to send, and those whose turn it is: two buffers that are kept.
    private var unflushed: [Transport] = []
    private var flushing: [Transport] = []
    private var handlers: [Int32: (generation: UInt32, handler: any EventHandler)] = [:]
    private var nextGeneration: UInt32 = 1
    private var timers = TimerHeap()
    /// Borrowed by whoever reads a socket on this loop; nothing may keep it across a suspension.
    var scratch = [UInt8](repeating: 0, count: EventLoop.scratchBytes)
    /// When this turn's events were collected, as ``MonotonicTime``: near enough to now for deadlines, and free to read.
    package private(set) var turnStart = MonotonicTime.now()

    /// Starts the loop's thread. The process keeps a loop until it exits or calls ``stop()``.
    /// - Throws: ``SocketError`` when the kernel refuses a descriptor.
    package init(name: String = "loop") throws(SocketError) {
        self.name = name
        epoll = clinux_epoll_create()
        guard epoll >= 0 else { throw .system("epoll_create1") }
        wakeup = clinux_eventfd()
        guard wakeup >= 0 else { throw .system("eventfd") }
        guard
            clinux_epoll_ctl(epoll, Int32(CLINUX_ADD), wakeup, UInt32(CLINUX_IN), UInt64(UInt32(bitPattern: wakeup)))
                == 0
        else { throw .system("epoll_ctl") }
        let started = Lock(false)
        OSThread.start(name: name) { [self] in
            unsafe thread = pthread_self()
            started.withLock { $0 = true }
            run()
        }
        while !started.withLock({ $0 }) { sched_yield() }
    }

    deinit {
        // Not when the thread ends: whoever still submits would write into a descriptor that is someone else's by then.
        close(epoll)
        close(wakeup)
    }

    /// A loop per processor, at most `count`.
    package static func group(count: Int, name: String = "loop") throws(SocketError) -> [EventLoop] {
        var loops: [EventLoop] = []
        for index in 0..<max(1, count) { loops.append(try EventLoop(name: "\(name)-\(index)")) }
        return loops
    }

    /// Ends the thread after the present turn; jobs that come later never run. For tests and process exit.
    package func stop() {
        remote.withLock { $0.stopped = true }
        wake()
    }

    // MARK: Executor

    package var inLoop: Bool { unsafe pthread_equal(pthread_self(), thread) != 0 }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if inLoop { return jobs.append(job) }
        // The runtime holds no reference to an executor: the job may have run, and dropped the last one, before we return.
        let kept = unsafe Unmanaged.passRetained(self)
        defer { unsafe kept.release() }
        submit { $0.jobs.append(job) }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
    package func checkIsolated() { precondition(inLoop, "called off the event loop \(name)") }
    package func isIsolatingCurrentContext() -> Bool? { inLoop }

    /// Runs `callback` on the loop, soon; from any thread.
    package func execute(_ callback: @escaping @Sendable () -> Void) {
        submit { $0.callbacks.append(callback) }
    }

    /// Runs `callback` when the present turn's handlers and jobs are done: the place to flush what they queued.
    package func atEndOfTurn(_ callback: @escaping @Sendable () -> Void) {
        checkIsolated()
        endOfTurn.append(callback)
    }

    /// ``atEndOfTurn(_:)`` for what happens most, without a closure for each.
    func flushAtEndOfTurn(_ transport: Transport) { unflushed.append(transport) }

    /// Jobs and callbacks that wait for their turn; on the loop only.
    package var queueDepth: Int {
        checkIsolated()
        return jobs.count + endOfTurn.count + unflushed.count + remote.withLock { $0.jobs.count + $0.callbacks.count }
    }

    // MARK: Descriptors (on the loop only)

    /// Watches a descriptor, level-triggered. The caller keeps the descriptor open until ``deregister(_:)``.
    package func register(_ fd: Int32, _ interest: Interest, handler: any EventHandler) throws(SocketError)
        -> Registration
    {
        checkIsolated()
        nextGeneration &+= 1
        let registration = Registration(fd: fd, generation: nextGeneration)
        guard clinux_epoll_ctl(epoll, Int32(CLINUX_ADD), fd, interest.mask, registration.tag) == 0 else {
            throw .system("epoll_ctl add")
        }
        handlers[fd] = (nextGeneration, handler)
        return registration
    }

    package func update(_ registration: Registration, _ interest: Interest) {
        checkIsolated()
        guard handlers[registration.fd]?.generation == registration.generation else { return }
        _ = clinux_epoll_ctl(epoll, Int32(CLINUX_MOD), registration.fd, interest.mask, registration.tag)
    }

    /// Call before closing the descriptor. Events of this turn that were already collected are dropped.
    package func deregister(_ registration: Registration) {
        checkIsolated()
        guard handlers[registration.fd]?.generation == registration.generation else { return }
        handlers[registration.fd] = nil
        _ = clinux_epoll_ctl(epoll, Int32(CLINUX_DEL), registration.fd, 0, 0)
    }

    // MARK: Timers (on the loop only)

    /// Calls `callback` on the loop once, not before `delay`. Cheap to cancel.
    @discardableResult
    package func schedule(after delay: Duration, _ callback: @escaping @Sendable () -> Void) -> LoopTimer {
        checkIsolated()
        let (deadline, isBeyond) = MonotonicTime.now().addingReportingOverflow(max(0, delay.nanosecondsClamped))
        return timers.insert(deadline: isBeyond ? .max : deadline, callback)
    }

    package func cancel(_ timer: LoopTimer) {
        checkIsolated()
        timers.cancel(timer)
    }

    // MARK: The loop

    private func submit(_ add: (inout Remote) -> Void) {
        let mustWake = remote.withLock { remote in
            guard !remote.stopped else { return false }
            add(&remote)
            defer { remote.woken = true }
            return !remote.woken
        }
        if mustWake && !inLoop { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeup, &one, 8)
    }

    private func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: Self.maxEventsPerTurn)
        while takeRemote() {
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe epoll_wait(epoll, buffer.baseAddress, Int32(buffer.count), timeoutMilliseconds())
            }
            turnStart = MonotonicTime.now()
            for index in 0..<max(0, Int(count)) {
                let (tag, mask) = unsafe withUnsafePointer(to: &events[index]) { event in
                    unsafe (clinux_event_tag(event), clinux_event_mask(event))
                }
                dispatch(tag: tag, mask: mask)
            }
            let now = MonotonicTime.now()
            while let callback = timers.popDue(now: now) { callback() }
            runJobs()
            runEndOfTurn()
        }
    }

    /// Moves what other threads submitted to this thread; false when the loop was stopped.
    private func takeRemote() -> Bool {
        let (remoteJobs, callbacks, stopped) = remote.withLock {
            remote -> ([UnownedJob], [@Sendable () -> Void], Bool) in
            defer {
                remote.jobs.removeAll(keepingCapacity: true)
                remote.callbacks.removeAll(keepingCapacity: true)
                remote.woken = false
            }
            return (remote.jobs, remote.callbacks, remote.stopped)
        }
        guard !stopped else { return false }
        jobs.append(contentsOf: remoteJobs)
        for callback in callbacks { callback() }
        if !callbacks.isEmpty || !remoteJobs.isEmpty {
            runJobs()
            runEndOfTurn()
        }
        return true
    }

    private func timeoutMilliseconds() -> Int32 {
        if !jobs.isEmpty || !endOfTurn.isEmpty || !unflushed.isEmpty || remote.withLock({ $0.woken }) { return 0 }
        guard let deadline = timers.nextDeadline else { return -1 }
        let left = deadline - MonotonicTime.now()
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }

    private func dispatch(tag: UInt64, mask: UInt32) {
        let fd = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        if fd == wakeup && tag >> 32 == 0 {
            var count: UInt64 = 0
            _ = unsafe read(wakeup, &count, 8)
            return
        }
        // A descriptor closed and reused inside one batch must not get the old one's event: the generation differs.
        guard let entry = handlers[fd], entry.generation == UInt32(truncatingIfNeeded: tag >> 32) else { return }
        entry.handler.ready(ReadyEvents(mask: mask))
    }

    private func runJobs() {
        var ran = 0
        while !jobs.isEmpty && ran < Self.maxJobsPerTurn {
            let batch = jobs
            jobs.removeAll(keepingCapacity: true)
            for job in batch {
                unsafe job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
            ran += batch.count
        }
    }

    private func runEndOfTurn() {
        while !endOfTurn.isEmpty || !unflushed.isEmpty {
            swap(&unflushed, &flushing)
            for transport in flushing { transport.flushDue() }
            flushing.removeAll(keepingCapacity: true)
            let batch = endOfTurn
            endOfTurn.removeAll(keepingCapacity: true)
            for callback in batch { callback() }
        }
    }
}
