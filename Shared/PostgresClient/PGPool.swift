package import Platform
package import Sockets

/// The connections of one event loop to one Postgres.
///
/// Single statements share connections, pipelined; a transaction leases one for itself. The pool grows while all
/// connections are busy and shrinks when they are not needed, reconnects in the background with backoff, and fails callers
/// after `acquireTimeout`.
package actor PGPool {
    /// Runs on each new connection before anything else; when it throws, the connection is dropped and tried again.
    package typealias ConnectHook = @Sendable (PGConnection) async throws -> Void

    package nonisolated let configuration: PGConfiguration
    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    private enum State { case idle, open, closed }

    /// Between two looks at how much of the pool is in use.
    static let sampleInterval = Duration.seconds(1)

    private let log: Log
    private let observer: PoolObserver
    private let onConnect: ConnectHook?
    private var state = State.idle
    private var members: [PoolMember] = []
    private var queue = PoolQueue()
    private var connecting: [Int: Task<Void, Never>] = [:]
    private var connectionNumber = 0
    private var backoff = Backoff(first: .milliseconds(50), cap: .seconds(2))
    private var retryTimer: LoopTimer?
    private var sampleTimer: LoopTimer?
    private var lastFailure: PGError?
    private var drained: CheckedContinuation<Void, Never>?

    /// Connects nothing; call ``start()``.
    package init(
        configuration: PGConfiguration, loop: EventLoop, log: Log, metrics: Metrics? = nil,
        onConnect: ConnectHook? = nil
    ) {
        self.configuration = configuration
        self.loop = loop
        self.log = log
        self.onConnect = onConnect
        observer = PoolObserver(metrics: metrics, size: configuration.poolSize)
    }

    // MARK: Life

    /// Begins to connect in the background and keeps at least one connection from now on.
    package func start() {
        guard state == .idle else { return }
        state = .open
        grow()
        sampleUse()
    }

    /// ``start()``, and waits until Postgres has answered once.
    /// - Throws: `.unavailable` after `acquireTimeout`.
    package func open() async throws(PGError) {
        start()
        try await ping()
    }

    /// Refuses new work, waits for what runs up to `drainTimeout`, then closes every connection.
    package func close() async {
        guard state != .closed else { return }
        state = .closed
        if let retryTimer { loop.cancel(retryTimer) }
        if let sampleTimer { loop.cancel(sampleTimer) }
        for waiter in queue.removeAll() { waiter.fail(PGError(.closed, "the pool is closed"), on: loop) }
        for task in connecting.values { task.cancel() }
        await drain()
        for member in members { member.session.close(PGError(.closed, "the pool is closed")) }
        for task in connecting.values { await task.value }
        observer.closed(size: configuration.poolSize)
    }

    /// Tells the metrics, once a second, how much of the pool is in use: counting at every statement would cost more. Gives
    /// back what a rush has left.
    func sampleUse() {
        observer.sampled(inUse: members.count(where: \.isBusy), waiting: queue.count)
        guard state == .open else { return }
        shrink()
        if let sampleTimer { loop.cancel(sampleTimer) }
        sampleTimer = loop.schedule(after: Self.sampleInterval) { [weak self] in
            self?.assumeIsolated { $0.sampleUse() }
        }
    }

    /// Closes one connection that nobody has needed for long.
    private func shrink() {
        let looks = Int(configuration.idleTimeout / Self.sampleInterval)
        guard queue.isEmpty, let member = members.takeUnused(looks: max(1, looks)) else { return }
        // It is not lost: nobody is to be warned, or to make another.
        member.session.onClose = { _ in }
        member.session.close(PGError(.closed, "nobody needed it"))
        observer.disconnected(members.count)
        log.debug("postgres connection not needed", .count(members.count))
    }

    private func drain() async {
        guard members.contains(where: \.isBusy) else { return }
        for member in members { member.session.wantsProgress = true }
        let timer = loop.schedule(after: configuration.drainTimeout) { [weak self] in
            self?.assumeIsolated { $0.finishDrain() }
        }
        await withCheckedContinuation { drained = $0 }
        loop.cancel(timer)
    }

    private func finishDrain() {
        drained?.resume()
        drained = nil
    }

    /// At least one connection is ready. From any thread; for readiness checks.
    package nonisolated var isHealthy: Bool { observer.isHealthy }

    /// Asks Postgres for an answer.
    package func ping(timeout: Duration? = nil) async throws(PGError) {
        _ = try await query("SELECT 1", timeout: timeout)
    }

    // MARK: Statements

    /// Runs one statement on a shared connection and returns its rows.
    /// - Parameter timeout: for waiting and running together; by default the statement timeout and a grace.
    /// - Throws: ``PGError``; when `isAmbiguousCommit`, a writing statement may or may not have taken effect.
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PGError) -> [Row] {
        try await run([sql], timeout)[0].rows
    }

    /// Runs one statement on a shared connection and returns how many rows it touched.
    package func execute(_ sql: SQL, timeout: Duration? = nil) async throws(PGError) -> Int {
        try await run([sql], timeout)[0].affected
    }

    /// Runs statements on a shared connection as one implicit transaction in one round trip: all or none.
    package func batch(_ statements: [SQL], timeout: Duration? = nil) async throws(PGError) -> [PGResult] {
        statements.isEmpty ? [] : try await run(statements, timeout)
    }

    private func run(_ statements: [SQL], _ timeout: Duration?) async throws(PGError) -> [PGResult] {
        do throws(PGError) {
            return try await attempt(statements, timeout)
        } catch {
            // The server forgot or outgrew a prepared statement before running anything: prepare it again, once.
            guard error.isStaleStatement else { throw error }
            return try await attempt(statements, timeout)
        }
    }

    private func attempt(_ statements: [SQL], _ timeout: Duration?) async throws(PGError) -> [PGResult] {
        let operation = PGOperation(statements, commits: true, timeout: timeout ?? configuration.defaultDeadline)
        let span = StatementSpan(statements)
        do throws(PGError) {
            let results = try await operation.perform(on: loop, isolation: self) { route(operation, timeout) }
            observer.answered(isError: false)
            span?.end()
            return results
        } catch {
            observer.answered(isError: true)
            span?.end(error)
            throw error
        }
    }

    private func route(_ operation: PGOperation, _ timeout: Duration?) {
        guard state == .open else { return operation.finish(.failure(notOpen)) }
        guard let member = members.leastBusy(below: configuration.maxSharing) else {
            return enqueue(.statement(operation), timeout)
        }
        if !member.session.inFlight.isEmpty { grow() }
        member.submit(operation)
    }

    // MARK: Leases

    /// Runs `body` in a transaction on a connection of its own. BEGIN travels with the first statement.
    ///
    /// Commits when `body` returns, rolls back when it throws. Inside, use only the transaction: a call to the pool could
    /// wait for a connection that this one holds.
    /// - Parameter timeout: for the whole transaction; past it the connection is closed.
    /// - Throws: what `body` throws, or ``PGError``; when COMMIT's answer was lost, `isAmbiguousCommit` is true.
    package nonisolated func withTransaction<Value>(
        _ isolation: PGIsolation = .readCommitted, timeout: Duration? = nil,
        _ body: (PGTransaction) async throws -> Value
    ) async throws -> Value {
        let member = try await lease()
        let connection = PGConnection(session: member.session, configuration: configuration, isolation: isolation)
        do {
            let value = try await connection.transaction(timeout: timeout, body)
            await release(member, isError: false)
            return value
        } catch {
            await release(member, isError: true)
            throw error
        }
    }

    /// Lends a connection outside any transaction, for session state such as advisory locks or temporary tables. It is
    /// closed afterwards, so that no state reaches the next user.
    package nonisolated func withDedicatedConnection<Value>(
        _ body: (PGConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await PGConnection.open(configuration, loop: loop, log: log)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    private func lease() async throws(PGError) -> PoolMember {
        guard state == .open else { throw notOpen }
        guard !Task.isCancelled else { throw PGError(.cancelled, "cancelled before it began") }
        if queue.isEmpty, let member = members.idle() {
            member.isLeased = true
            return member
        }
        let request = LeaseRequest()
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                request.continuation = continuation
                enqueue(.lease(request), nil)
            }
        } onCancel: {
            loop.execute { request.fail(PGError(.cancelled, "cancelled while waiting for a connection")) }
        }.get()
    }

    private func release(_ member: PoolMember, isError: Bool) {
        observer.answered(isError: isError)
        member.isLeased = false
        progressed()
    }

    // MARK: Waiting

    private var notOpen: PGError {
        PGError(.closed, state == .idle ? "the pool was not started" : "the pool is closed")
    }

    private func enqueue(_ work: PoolQueue.Work, _ timeout: Duration?) {
        let limit = min(timeout ?? configuration.acquireTimeout, configuration.acquireTimeout)
        guard queue.hasRoom else {
            return work.fail(PGError(.poolExhausted, "more than \(PGConfiguration.maxWaiting) wait"))
        }
        let number = queue.nextNumber
        let timer = loop.schedule(after: limit) { [weak self] in
            self?.assumeIsolated { $0.giveUp(number, after: limit) }
        }
        queue.append(work, timer: timer)
        serve()
    }

    private func giveUp(_ number: Int, after limit: Duration) {
        guard let waiter = queue.remove(number) else { return }
        if members.contains(where: \.session.isReady) {
            waiter.work.fail(PGError(.poolExhausted, "no connection came free within \(limit)"))
        } else {
            waiter.work.fail(PGError(.unavailable, lastFailure?.message ?? "not connected within \(limit)"))
        }
        serve()
    }

    /// Hands connections to those who wait, first come first served.
    private func serve() {
        while let work = queue.first {
            switch work {
            case .statement(let operation):
                // All may be reserved for leases that came later: it would wait for them, and they for it.
                guard
                    let member = members.leastBusy(below: configuration.maxSharing)
                        ?? members.leastBusy(below: configuration.maxSharing, mayBeReserved: true)
                else { return awaitMore() }
                queue.removeFirst(on: loop)
                member.submit(operation)
            case .lease(let request):
                guard let member = members.idle() else { return awaitMore() }
                queue.removeFirst(on: loop)
                member.isLeased = true
                member.isReserved = false
                member.session.wantsProgress = false
                request.succeed(member)
            }
        }
        for member in members { (member.isReserved, member.session.wantsProgress) = (false, false) }
    }

    private func awaitMore() {
        grow()
        members.reserve(queue.leases(upTo: members.count))
        // A leased connection reports once, by its release.
        for member in members { member.session.wantsProgress = !member.isLeased }
    }

    private func progressed() {
        if drained != nil && !members.contains(where: \.isBusy) { finishDrain() }
        if !queue.isEmpty { serve() }
    }

    // MARK: Connections

    /// Makes one more connection, unless the pool is full or Postgres refused the last one a moment ago.
    private func grow() {
        let present = members.count { !$0.session.isRetired }
        guard state == .open, retryTimer == nil, present + connecting.count < configuration.poolSize else { return }
        // One at a time: a burst needs few connections, since each takes many statements.
        guard connecting.isEmpty || queue.count > connecting.count else { return }
        connectionNumber += 1
        let number = connectionNumber
        // close() awaits it.
        connecting[number] = Task(executorPreference: loop) { [weak self] in await self?.connect(number) }
    }

    private func connect(_ number: Int) async {
        do {
            let session = try await PGSession.connect(configuration, loop: loop, log: log)
            do { try await onConnect?(PGConnection(session: session, configuration: configuration)) } catch {
                session.close(PGError(.closed, "the connect hook failed"))
                throw error
            }
            connecting[number] = nil
            join(session)
        } catch {
            connecting[number] = nil
            failed(error)
        }
    }

    private func join(_ session: PGSession) {
        guard state == .open, session.isReady else {
            session.close(PGError(.closed, "the pool is closed"))
            return state == .open ? failed(PGError(.unavailable, "the connection ended at once")) : ()
        }
        backoff.reset()
        lastFailure = nil
        let member = PoolMember(session: session)
        members.append(member)
        session.onClose = { [weak self, weak member] error in
            self?.assumeIsolated { pool in if let member { pool.lost(member, error) } }
        }
        session.onProgress = { [weak self] in self?.assumeIsolated { $0.progressed() } }
        observer.connected(members.count)
        log.debug("postgres connected", .count(members.count))
        serve()
    }

    private func failed(_ error: any Error) {
        guard state == .open else { return }
        lastFailure = error as? PGError ?? PGError(.unavailable, "the connect hook failed: \(error)")
        log.warning("postgres connection failed", .error(error))
        retryLater()
    }

    private func lost(_ member: PoolMember, _ error: PGError) {
        members.removeAll { $0 === member }
        observer.disconnected(members.count)
        if state == .open {
            lastFailure = error
            log.warning("postgres connection lost", .error(error))
            if members.isEmpty { retryLater() } else if !queue.isEmpty { grow() }
        }
        progressed()
    }

    private func retryLater() {
        guard retryTimer == nil else { return }
        retryTimer = loop.schedule(after: backoff.next()) { [weak self] in
            self?.assumeIsolated { pool in
                pool.retryTimer = nil
                if pool.members.isEmpty || !pool.queue.isEmpty { pool.grow() }
            }
        }
    }
}
