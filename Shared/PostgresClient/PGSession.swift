import Platform
import Sockets

/// One connection to Postgres in pipeline mode: connects, sends groups of statements, hands out their answers in order.
///
/// Lives on its loop's thread. An error in one group leaves the others alone; a lost connection fails them all.
final class PGSession: EventHandler, @unchecked Sendable {  // touched on the loop's thread only
    enum State { case idle, connecting, ready, closed }

    let loop: EventLoop
    private let log: Log
    private let connectTimeout: Duration
    private let notices = NoticeBox()
    private var handle: PGHandle?
    private var registration: Registration?
    private var interest: Interest = .read
    private var connecting: CheckedContinuation<Result<Void, PGError>, Never>?
    private var connectTimer: LoopTimer?

    private(set) var state = State.idle
    private(set) var inFlight: [PGOperation] = []
    /// Whether a group may be sent while another one is under way. A transaction pooler takes the server away as soon as
    /// one group is answered, and what has come of the next by then it sends elsewhere than the rest.
    private let mayOverlap: Bool
    /// Groups that wait until ``inFlight`` is empty, because they may not overlap.
    private var held: [PGOperation] = []
    /// A statement outlived its deadline: no new ones, and the connection ends with the last caller that still waits.
    private(set) var isRetired = false
    private(set) var backendPID: Int32 = 0
    private(set) var serverVersion: Int32 = 0
    private var cache: StatementCache
    private var encoder = ParameterEncoder()
    private var deadlineTimer: (timer: LoopTimer, deadline: Int64)?
    /// What the server said while nothing ran, e.g. why it is about to close.
    private var lastWords: PGError?

    /// Called once, when the connection ends for whatever reason.
    var onClose: (PGError) -> Void = { _ in }
    /// Called after each finished group while ``wantsProgress`` is set.
    var onProgress: () -> Void = {}
    var wantsProgress = false

    init(configuration: PGConfiguration, loop: EventLoop, log: Log) {
        self.loop = loop
        self.log = log
        connectTimeout = configuration.connectTimeout
        mayOverlap = configuration.mayOverlap
        cache = StatementCache(capacity: configuration.namedStatements ? PGConfiguration.maxPreparedStatements : 0)
    }

    var isReady: Bool { state == .ready && !isRetired }

    // MARK: Connecting

    /// Connects and logs in; from any thread.
    /// - Throws: `.unavailable`, `.invalid` for a DSN that can not be read, `.cancelled`.
    static func connect(
        _ configuration: PGConfiguration, loop: EventLoop, log: Log
    ) async throws(PGError) -> PGSession {
        let parameters = try await ConnectionParameters(configuration).resolved()
        let session = PGSession(configuration: configuration, loop: loop, log: log)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { session.begin(parameters, continuation) }
            }
        } onCancel: {
            loop.execute { session.close(PGError(.cancelled, "cancelled while connecting")) }
        }
        try result.get()
        return session
    }

    private func begin(
        _ parameters: ConnectionParameters, _ continuation: CheckedContinuation<Result<Void, PGError>, Never>
    ) {
        guard state == .idle else { return continuation.resume(returning: .failure(PGError(.cancelled, "cancelled"))) }
        state = .connecting
        connecting = continuation
        notices.receive = { [weak self] notice in self?.received(notice: notice) }
        do throws(PGError) {
            handle = try PGHandle(parameters, onNotice: notices)
            try watch(.write)
            connectTimer = loop.schedule(after: connectTimeout) { [weak self] in
                guard let self, state == .connecting else { return }
                close(PGError(.unavailable, "no connection within \(connectTimeout)"))
            }
        } catch { close(error) }
    }

    private func continueConnecting() {
        // PQconnectPoll may close the socket and open another, so the loop must not watch it across the call.
        unwatch()
        guard let handle else { return }
        do throws(PGError) {
            switch handle.poll() {
            case .wantsRead: try watch(.read)
            case .wantsWrite: try watch(.write)
            case .failed: throw handle.connectionFailure
            case .ready:
                guard handle.enterPipeline() else { throw handle.connectionFailure }
                try watch(.read)
                becomeReady(handle)
            }
        } catch { close(error) }
    }

    private func becomeReady(_ handle: PGHandle) {
        state = .ready
        backendPID = handle.backendPID
        serverVersion = handle.serverVersion
        if let connectTimer { loop.cancel(connectTimer) }
        connecting?.resume(returning: .success(()))
        connecting = nil
    }

    private func watch(_ interest: Interest) throws(PGError) {
        guard let handle else { return }
        do { registration = try loop.register(handle.socket, interest, handler: self) } catch {
            throw PGError(.unavailable, "can not watch the socket: \(error)")
        }
        self.interest = interest
    }

    private func unwatch() {
        if let registration { loop.deregister(registration) }
        registration = nil
    }

    // MARK: Sending

    /// Sends a group; the caller has checked ``isReady``.
    func submit(_ operation: PGOperation) {
        loop.checkIsolated()
        guard !operation.isFinished else { return }
        guard isReady, let handle else {
            return operation.finish(.failure(PGError(.connectionLost, "the connection is closed")))
        }
        guard mayOverlap || inFlight.isEmpty else {
            held.append(operation)
            return arm(operation.deadline)
        }
        let isSent =
            operation.script.map { handle.exitPipeline() && handle.sendScript($0) } ?? send(operation, on: handle)
        // A group that was only partly handed over never got its sync, so the server commits nothing of it.
        guard isSent else {
            operation.finish(.failure(PGError(.connectionLost, handle.errorMessage)))
            return close(PGError(.connectionLost, handle.errorMessage))
        }
        operation.markSent()
        inFlight.append(operation)
        arm(operation.deadline)
        flush()
    }

    private func send(_ operation: PGOperation, on handle: PGHandle) -> Bool {
        for sql in operation.statements {
            guard send(sql, of: operation, on: handle) else { return false }
        }
        return handle.sync()
    }

    private func send(_ sql: SQL, of operation: PGOperation, on handle: PGHandle) -> Bool {
        let key = StatementCache.Key(text: sql.text, types: sql.types)
        encoder.encode(sql.binds)
        switch cache.plan(key) {
        case .prepared(let name):
            operation.sent(.execute(key))
            return handle.sendPrepared(name: name, encoder)
        case .prepareFirst(let name):
            operation.sent(.prepare(key))
            operation.sent(.execute(key))
            return handle.sendPrepare(name: name, text: sql.text, types: sql.types)
                && handle.sendPrepared(name: name, encoder)
        case .unnamed:
            operation.sent(.execute(nil))
            return handle.sendUnnamed(text: sql.text, types: sql.types, encoder)
        }
    }

    private func flush() {
        guard let handle else { return }
        guard let isPending = handle.flush() else { return close(PGError(.connectionLost, handle.errorMessage)) }
        let wanted: Interest = isPending ? [.read, .write] : .read
        guard wanted != interest, let registration else { return }
        interest = wanted
        loop.update(registration, wanted)
    }

    // MARK: Answers

    func ready(_ events: ReadyEvents) {
        if state == .connecting { return continueConnecting() }
        guard state == .ready else { return }
        if events.isWritable && interest.contains(.write) { flush() }
        if events.isReadable { receive() }
    }

    private func receive() {
        repeat {
            guard let handle else { return }
            let isAlive = handle.consumeInput()
            takeAnswers()
            if !isAlive || handle.isBad {
                return close(lastWords ?? PGError(.connectionLost, handle.errorMessage))
            }
        } while handle?.hasBufferedInput == true
    }

    private func takeAnswers() {
        // While nothing runs only this reads notices, among them the reason for which the server is about to close.
        if inFlight.isEmpty { _ = handle?.isBusy }
        while let handle, let operation = inFlight.first, !handle.isBusy {
            switch handle.nextAnswer() {
            case .result(let result): accept(result, for: operation)
            case .failed(let error):
                accept(error, for: operation)
                if handle.isBad { return }
            case .skipped: forgetCurrent(of: operation)
            case .sync: complete(operation)
            case .unexpected(let status): return close(PGError(.connectionLost, "unexpected answer \(status)"))
            case .endOfCommand:
                if operation.script != nil {
                    guard handle.enterPipeline() else { return close(PGError(.connectionLost, handle.errorMessage)) }
                    complete(operation)
                } else if !operation.advance() {
                    // More ends than commands: libpq and we are out of step, or the connection is gone.
                    return
                }
            }
        }
    }

    private func accept(_ result: PGResult, for operation: PGOperation) {
        guard case .prepare(let key) = operation.currentCommand else { return operation.accept(result) }
        cache.confirm(key)
    }

    private func accept(_ error: PGError, for operation: PGOperation) {
        operation.accept(error)
        switch operation.currentCommand {
        case .prepare(let key): cache.forget(key)
        case .execute(let key): if let key, error.isStaleStatement { cache.forget(key) }
        case nil: break
        }
    }

    private func forgetCurrent(of operation: PGOperation) {
        if case .prepare(let key) = operation.currentCommand { cache.forget(key) }
    }

    private func complete(_ operation: PGOperation) {
        inFlight.removeFirst()
        operation.complete()
        if isRetired { return closeWhenUnused() }
        if let name = cache.evict() { deallocate(name) }
        while inFlight.isEmpty, !held.isEmpty { submit(held.removeFirst()) }
        if wantsProgress { onProgress() }
    }

    private func deallocate(_ name: String) {
        guard let handle else { return }
        encoder.encode([])
        let operation = PGOperation([], commits: false, timeout: .seconds(10))
        operation.sent(.execute(nil))
        operation.finish(.success([]))
        guard handle.sendUnnamed(text: "DEALLOCATE \(name)", types: [], encoder), handle.sync() else {
            return close(PGError(.connectionLost, handle.errorMessage))
        }
        inFlight.append(operation)
        flush()
    }

    private func received(notice: PGError) {
        if notice.isFatal { lastWords = notice }
        log.debug("postgres notice", .reason(notice.message))
    }

    // MARK: Deadlines

    private func arm(_ deadline: Int64) {
        if let armed = deadlineTimer {
            guard deadline < armed.deadline else { return }
            loop.cancel(armed.timer)
        }
        let timer = loop.schedule(after: .nanoseconds(max(0, deadline - MonotonicTime.now()))) { [weak self] in
            self?.deadlineTimer = nil
            self?.expire()
        }
        deadlineTimer = (timer, deadline)
    }

    private func expire() {
        let now = MonotonicTime.now()
        for operation in inFlight where operation.deadline <= now {
            isRetired = true
            let error = PGError(.timeout, "no answer within the deadline")
            operation.finish(.failure(error.whileRunning(commits: operation.commits)))
        }
        for operation in held where operation.deadline <= now {
            operation.finish(.failure(PGError(.timeout, "not sent within the deadline")))
        }
        held.removeAll(where: \.isFinished)
        if isRetired { closeWhenUnused() }
        if let next = (inFlight + held).lazy.map(\.deadline).filter({ $0 > now }).min(), state == .ready { arm(next) }
        if wantsProgress { onProgress() }
    }

    private func closeWhenUnused() {
        guard inFlight.allSatisfy(\.isFinished) else { return }
        close(PGError(.timeout, "closed after a statement passed its deadline"))
    }

    // MARK: The end

    private static let cancelling = BlockingExecutor(label: "postgres-cancel", threads: 1)

    /// Ends the connection now. What is in flight fails with `reason`, marked ambiguous where it may have committed; a
    /// statement that still runs is cancelled on the server.
    func close(_ reason: PGError) {
        loop.checkIsolated()
        guard state != .closed else { return }
        let wasConnecting = state == .connecting
        state = .closed
        unwatch()
        if let connectTimer { loop.cancel(connectTimer) }
        if let deadlineTimer { loop.cancel(deadlineTimer.timer) }
        if let handle, !inFlight.isEmpty, !handle.isBad, let canceller = handle.canceller() { Self.cancel(canceller) }
        handle = nil
        let (abandoned, unsent) = (inFlight, held)
        (inFlight, held) = ([], [])
        for operation in unsent { operation.finish(.failure(reason)) }
        for operation in abandoned { operation.finish(.failure(Self.verdict(on: operation, reason))) }
        connecting?.resume(returning: .failure(wasConnecting ? Self.connectError(reason) : reason))
        connecting = nil
        onClose(reason)
        onClose = { _ in }
        onProgress = {}
    }

    private static func cancel(_ canceller: PGCanceller) {
        // Nobody waits for it: the server's own statement timeout is the guarantee, this only frees it sooner.
        Task { try? await cancelling.run { canceller.cancel() } }
    }

    private static func connectError(_ reason: PGError) -> PGError {
        switch reason.code {
        case .cancelled, .closed, .unavailable: reason
        default: PGError(.unavailable, reason.message)
        }
    }

    /// An ordinary error means that the server rolled the group back; anything else leaves it open.
    private static func verdict(on operation: PGOperation, _ reason: PGError) -> PGError {
        if let error = operation.error {
            return error.isFatal || error.sqlState == nil ? error.whileRunning(commits: operation.commits) : error
        }
        return reason.whileRunning(commits: operation.commits)
    }
}
