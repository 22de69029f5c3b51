package import Platform
package import Sockets

/// A process's way to tell others about itself: traces to a collector, errors to Sentry. Each only where it is set up; then both
/// work on an event loop of their own, so that nothing that serves waits for them.
package final class Telemetry: Sendable {
    /// At the end of a process, for everything that still waits.
    package static let lastWords = Duration.seconds(1)

    /// Off unless traces are sent.
    package let tracer: Tracer
    private let work: [Task<Void, Never>]

    /// Who tells.
    package struct Origin: Sendable {
        package let service: String
        package let version: String
        /// Tells replicas apart.
        package let instance: String

        package init(service: String, version: String, instance: String) {
            self.service = service
            self.version = version
            self.instance = instance
        }
    }

    /// Begins to send. End it with ``finish()``.
    ///
    /// - Parameters:
    ///   - inbox: what the log has put aside; nil when errors are not reported.
    ///   - lastWords: how long ``finish()`` may take.
    /// - Throws: ``SocketError`` when there is no event loop for it.
    package init(
        _ settings: TelemetrySettings, origin: Origin, inbox: ErrorInbox?, log: Log, metrics: Metrics,
        lastWords: Duration = Telemetry.lastWords
    ) throws(SocketError) {
        guard settings.traces != nil || settings.errors != nil else {
            (tracer, work) = (.disabled, [])
            return
        }
        let loop = try EventLoop(name: "telemetry")
        var work: [Task<Void, Never>] = []
        if let traces = settings.traces {
            let tracer = Tracer(sampler: traces.sampler, capacity: traces.queue, wakeAt: traces.batch)
            let exporter = SpanExporter(
                settings: traces, tracer: tracer, origin: origin, loop: loop, log: log, metrics: metrics)
            // Awaited by finish(), as is the next.
            work.append(Task(executorPreference: loop) { await exporter.run(lastWords: lastWords) })
            self.tracer = tracer
        } else {
            tracer = .disabled
        }
        if let errors = settings.errors, let inbox {
            let reporter = ErrorReporter(
                settings: errors, inbox: inbox,
                origin: .init(
                    service: origin.service, version: origin.version, environment: errors.environment,
                    server: origin.instance), loop: loop, log: log, metrics: metrics)
            work.append(Task(executorPreference: loop) { await reporter.run(lastWords: lastWords) })
        }
        self.work = work
    }

    /// Sends what waits, for at most a moment, and stops.
    package func finish() async {
        for task in work { task.cancel() }
        for task in work { await task.value }
    }
}
