package import Platform
package import Sockets

/// One connection with a life of its own: a leased one inside a transaction, or a long-lived session.
///
/// A session made by ``open(_:loop:log:)`` is the caller's to close. It never reconnects: when it ends, what the session
/// held (advisory locks, settings) is gone, and ``onClose(_:)`` says so.
package actor PGConnection {
    private enum Phase {
        /// No transaction; each statement commits by itself.
        case autocommit
        /// BEGIN goes out with the first statement.
        case beginning([SQL])
        case open
        /// The lease or transaction is over.
        case ended
    }

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    nonisolated let session: PGSession
    private let configuration: PGConfiguration
    private var phase: Phase
    private var transactionDeadline: (timer: LoopTimer, deadline: Int64)?
    private var closeCallbacks: [@Sendable (PGError) -> Void] = []

    /// Leases a session for one transaction when `isolation` is given.
    init(session: PGSession, configuration: PGConfiguration, isolation: PGIsolation? = nil) {
        self.session = session
        self.configuration = configuration
        loop = session.loop
        phase = isolation.map { .beginning(Self.opening($0, configuration)) } ?? .autocommit
    }

    /// Connects, outside any pool.
    /// - Throws: `.unavailable`, `.invalid` for a DSN that can not be read, `.cancelled`.
    package static func open(_ configuration: PGConfiguration, loop: EventLoop, log: Log) async throws(PGError)
        -> PGConnection
    {
        let session = try await PGSession.connect(configuration, loop: loop, log: log)
        let connection = PGConnection(session: session, configuration: configuration)
        await connection.observeClose()
        return connection
    }

    private static func opening(_ isolation: PGIsolation, _ configuration: PGConfiguration) -> [SQL] {
        guard !configuration.namedStatements else { return [isolation.begin] }
        // SET LOCAL takes no parameters; set_config(…, true) is the same and does.
        return [isolation.begin] + configuration.parameters.map { "SELECT set_config(\($0.name), \($0.value), true)" }
    }

    // MARK: Statements

    /// Runs a statement and returns its rows. Several tasks may do so at the same time; answers come in order.
    /// - Throws: ``PGError``; `isAmbiguousCommit` when the answer was lost.
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PGError) -> [Row] {
        try await run([sql], timeout: timeout)[0].rows
    }

    /// Runs a statement and returns how many rows it touched.
    package func execute(_ sql: SQL, timeout: Duration? = nil) async throws(PGError) -> Int {
        try await run([sql], timeout: timeout)[0].affected
    }

    /// Runs statements as one implicit transaction in one round trip: all or none.
    package func batch(_ statements: [SQL], timeout: Duration? = nil) async throws(PGError) -> [PGResult] {
        statements.isEmpty ? [] : try await run(statements, timeout: timeout)
    }

    /// Runs a text of several statements, without parameters, when nothing else runs here. For migrations.
    func runScript(_ text: String, timeout: Duration) async throws(PGError) {
        precondition(session.inFlight.isEmpty, "a script needs the connection for itself")
        guard !text.utf8.contains(0) else { throw PGError(.invalid, "the script holds a NUL character") }
        _ = try await submit(PGOperation([], script: text, commits: true, timeout: timeout))
    }

    private func run(_ statements: [SQL], timeout: Duration?) async throws(PGError) -> [PGResult] {
        guard case .autocommit = phase else { throw PGError(.closed, "this connection is leased to a transaction") }
        return try await submit(
            PGOperation(statements, commits: true, timeout: timeout ?? configuration.defaultDeadline))
    }

    private func submit(_ operation: PGOperation, isCancellable: Bool = true) async throws(PGError) -> [PGResult] {
        try await operation.perform(on: loop, isolation: self, isCancellable: isCancellable) {
            session.submit(operation)
        }
    }

    // MARK: Transactions

    /// Runs `body` in a transaction on this connection; no other task may use the connection meanwhile.
    ///
    /// Commits when `body` returns, rolls back when it throws.
    /// - Throws: what `body` throws, or ``PGError``; when COMMIT's answer was lost, `isAmbiguousCommit` is true.
    package nonisolated func withTransaction<Value>(
        _ isolation: PGIsolation = .readCommitted, timeout: Duration? = nil,
        _ body: (PGTransaction) async throws -> Value
    ) async throws -> Value {
        let leased = PGConnection(session: session, configuration: configuration, isolation: isolation)
        return try await leased.transaction(timeout: timeout, body)
    }

    nonisolated func transaction<Value>(timeout: Duration?, _ body: (PGTransaction) async throws -> Value) async throws
        -> Value
    {
        if let timeout { await setDeadline(timeout) }
        do {
            let value = try await body(PGTransaction(connection: self))
            try await commit()
            return value
        } catch {
            await rollback()
            throw error
        }
    }

    func runInTransaction(_ statements: [SQL]) async throws(PGError) -> [PGResult] {
        let opening: [SQL]
        switch phase {
        case .beginning(let statements): opening = statements
        case .open: opening = []
        case .autocommit, .ended: throw PGError(.closed, "the transaction has ended")
        }
        if !opening.isEmpty { for statement in statements { if let problem = statement.problem { throw problem } } }
        phase = .open
        let operation = PGOperation(opening + statements, commits: false, timeout: remaining)
        return Array(try await traced(statements, operation).dropFirst(opening.count))
    }

    private func traced(
        _ statements: [SQL], _ operation: PGOperation, isCancellable: Bool = true
    ) async throws(PGError) -> [PGResult] {
        let span = StatementSpan(statements)
        do throws(PGError) {
            let results = try await submit(operation, isCancellable: isCancellable)
            span?.end()
            return results
        } catch {
            span?.end(error)
            throw error
        }
    }

    private func commit() async throws(PGError) {
        defer { end() }
        guard case .open = phase else { return }
        phase = .ended
        try await sendCommit(after: [])
    }

    /// The transaction stays open when one of the statements fails, for the rollback.
    func commit(after statements: [SQL]) async throws(PGError) {
        guard case .open = phase else { throw PGError(.closed, "the transaction has ended, or was never begun") }
        for statement in statements { if let problem = statement.problem { throw problem } }
        try await sendCommit(after: statements)
        phase = .ended
    }

    private func sendCommit(after statements: [SQL]) async throws(PGError) {
        // Not cancellable: a COMMIT that was sent is better waited for than left open.
        let results = try await traced(
            statements + ["COMMIT"], PGOperation(statements + ["COMMIT"], commits: true, timeout: remaining),
            isCancellable: false)
        guard results.last?.isRollback == false else {
            throw PGError(
                server: "rolled back, because a statement of the transaction had failed",
                sqlState: SQLState.inFailedTransaction.rawValue, constraint: nil, position: nil, isFatal: false)
        }
    }

    private func rollback() async {
        defer { end() }
        guard case .open = phase else { return }
        phase = .ended
        guard session.isReady else { return }
        // A statement whose caller gave up still runs, and ROLLBACK would wait behind it.
        guard session.inFlight.isEmpty else {
            return session.close(PGError(.closed, "the transaction was given up while a statement ran"))
        }
        do {
            _ = try await submit(PGOperation(["ROLLBACK"], commits: false, timeout: remaining), isCancellable: false)
        } catch { session.close(PGError(.closed, "could not roll back: \(error.message)")) }
    }

    private func end() {
        phase = .ended
        if let transactionDeadline { loop.cancel(transactionDeadline.timer) }
        transactionDeadline = nil
    }

    private var remaining: Duration {
        guard let transactionDeadline else { return configuration.defaultDeadline }
        let left = Duration.nanoseconds(max(0, transactionDeadline.deadline - MonotonicTime.now()))
        return min(left, configuration.defaultDeadline)
    }

    private func setDeadline(_ timeout: Duration) {
        let timer = loop.schedule(after: timeout) { [session] in
            session.close(PGError(.timeout, "the transaction took longer than \(timeout)"))
        }
        transactionDeadline = (timer, MonotonicTime.now() &+ timeout.nanosecondsClamped)
    }

    // MARK: Life

    /// False once the connection has ended. It may also be half-open: only an answered statement proves it.
    package var isAlive: Bool { session.isReady }
    /// The server process, as in `pg_stat_activity.pid`.
    package var backendPID: Int32 { session.backendPID }
    /// For example 150020 for 15.20.
    package var serverVersion: Int32 { session.serverVersion }

    /// Calls back once, on the loop, when the connection ends; at once when it already has.
    package func onClose(_ callback: @escaping @Sendable (PGError) -> Void) {
        guard session.state != .closed else { return callback(PGError(.closed, "the connection has ended")) }
        closeCallbacks.append(callback)
    }

    /// Ends the connection; what is in flight fails.
    package func close() { session.close(PGError(.closed, "closed by its owner")) }

    private func observeClose() {
        session.onClose = { [weak self] error in
            self?.assumeIsolated { connection in
                let callbacks = connection.closeCallbacks
                connection.closeCallbacks = []
                for callback in callbacks { callback(error) }
            }
        }
    }
}
