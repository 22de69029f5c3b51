package import Platform
package import Sockets

/// What a process depends on, and whether it is ready (design §1).
///
/// Ready = started, not draining, and every required check passes. A failing optional check only degrades.
package final class HealthRegistry: Sendable {
    /// One dependency.
    package struct Check: Sendable {
        package enum Kind: Sendable { case required, optional }
        package let name: String
        package let kind: Kind
        /// Returns a short sentence; throws why the dependency is not usable. Runs under ``HealthRegistry/checkTimeout``.
        package let probe: @Sendable () async throws -> String

        package init(_ name: String, _ kind: Kind, probe: @escaping @Sendable () async throws -> String) {
            self.name = name
            self.kind = kind
            self.probe = probe
        }
    }

    /// What a probe found.
    package struct Finding: Sendable {
        package let name: String
        package let kind: Check.Kind
        package let isHealthy: Bool
        package let message: String
        package let duration: Duration
    }

    /// All findings at one time.
    package struct Report: Sendable {
        package let findings: [Finding]
        /// Why the process is not ready; empty when it is.
        package let reasons: [String]
        /// Names of lost dependencies that we can do without.
        package let degraded: [String]
        package var isReady: Bool { reasons.isEmpty }
    }

    /// The name of the check of Postgres, which clients and documents read (contract §6).
    package static let database = "database"
    package static let checkTimeout = Duration.seconds(2)

    private struct State {
        var checks: [Check] = []
        var isStarted = false
        var tasks: [String] = []
        var metricsPort: UInt16?
        /// The checks that are under way.
        var looking: Task<[Finding], Never>?
    }

    private let state = Lock(State())
    private let shutdown: ShutdownSignal
    private let loop: EventLoop
    private let metrics: Metrics

    /// - Parameter metrics: where each report also shows: whether we are ready, degraded, and reach Postgres.
    package init(shutdown: ShutdownSignal, loop: EventLoop, metrics: Metrics) {
        self.shutdown = shutdown
        self.loop = loop
        self.metrics = metrics
    }

    package func add(_ check: Check) { state.withLock { $0.checks.append(check) } }

    /// Names of what runs in this process, for `/health/threads`.
    package var serviceNames: [String] { state.withLock { $0.tasks } }
    /// Where health and metrics are served, once they are: the settings may leave it to the kernel.
    var metricsPort: UInt16? { state.withLock { $0.metricsPort } }
    func setMetricsPort(_ port: UInt16) { state.withLock { $0.metricsPort = port } }
    /// Whether every service was assembled.
    var isStarted: Bool { state.withLock { $0.isStarted } }
    func setServices(_ names: [String]) { state.withLock { $0.tasks = names } }

    /// Every service has been assembled: from here on readiness depends on the checks alone.
    package func markStarted() { state.withLock { $0.isStarted = true } }

    /// Runs every check now, concurrently, each within ``checkTimeout``. Who asks while they run is told what they find: many
    /// who ask at once are no more work for the stores than one.
    package func report() async -> Report {
        let findings = await look().value
        let isStarted = state.withLock { $0.isStarted }
        var reasons = findings.filter { !$0.isHealthy && $0.kind == .required }.map { "\($0.name): \($0.message)" }
        if !isStarted { reasons.insert("startup in progress", at: 0) }
        if shutdown.isLeaving { reasons.insert("draining", at: 0) }
        let degraded = findings.filter { !$0.isHealthy && $0.kind == .optional }.map(\.name)
        let report = Report(findings: findings, reasons: reasons, degraded: degraded)
        export(report)
        return report
    }

    /// The checks that are under way, or that begin now.
    private func look() -> Task<[Finding], Never> {
        state.withLock { held -> Task<[Finding], Never> in
            if let looking = held.looking { return looking }
            let checks = held.checks
            // Waited for by whoever asks; it ends with its checks, each of which has a deadline.
            let looking = Task(executorPreference: loop) { [self] in
                let found = await findings(of: checks)
                state.withLock { $0.looking = nil }
                return found
            }
            held.looking = looking
            return looking
        }
    }

    private func findings(of checks: [Check]) async -> [Finding] {
        await withTaskGroup(of: (Int, Finding).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { [self] in (index, await probe(check)) }
            }
            var found: [(Int, Finding)] = []
            for await finding in group { found.append(finding) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func export(_ report: Report) {
        metrics.set(.ready, to: report.isReady ? 1 : 0)
        if let database = report.findings.first(where: { $0.name == Self.database }) {
            metrics.set(.postgresUp, to: database.isHealthy ? 1 : 0)
        }
        for finding in report.findings where finding.kind == .optional {
            metrics.set(.degraded, [finding.name], to: finding.isHealthy ? 0 : 1)
        }
    }

    private func probe(_ check: Check) async -> Finding {
        let begun = BootInstant.now()
        let result = await withTimeout(Self.checkTimeout, on: loop, check.probe)
        let duration = BootInstant.now().since(begun)
        switch result {
        case .success(let message):
            return Finding(name: check.name, kind: check.kind, isHealthy: true, message: message, duration: duration)
        case .failure(let error):
            return Finding(
                name: check.name, kind: check.kind, isHealthy: false, message: "\(error)", duration: duration)
        }
    }
}
