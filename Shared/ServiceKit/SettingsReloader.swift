import Platform

/// Asks for a reload; from any thread, and before anything runs: the last one that was not heard is remembered.
package struct ReloadBell: Sendable {
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() { (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func ring() { continuation.yield() }
    func silence() { continuation.finish() }
}

/// Reloads the settings whenever the bell rings, and says what came of it. Nothing that runs is disturbed.
struct SettingsReloader<Settings: ReloadableSettings>: Service {
    let name = "settings-reloader"
    let bell: ReloadBell
    let reload: SettingsReload<Settings>
    let context: ServiceContext

    private let files = BlockingExecutor(label: "settings", threads: 1)

    init(bell: ReloadBell, reload: SettingsReload<Settings>, context: ServiceContext) {
        self.bell = bell
        self.reload = reload
        self.context = context
    }

    func run(until shutdown: ShutdownSignal) async throws {
        shutdown.onReaching(.draining) { bell.silence() }
        for await _ in bell.rings {
            tell(try await files.run { [reload] in reload.reload() })
        }
        await shutdown.wait(for: .draining)
    }

    private func tell(_ report: SettingsReload<Settings>.Report) {
        for problem in report.problems { context.log.error("setting not reloaded", .reason(problem)) }
        for sentence in report.waiting { context.log.warning("setting waits for a restart", .reason(sentence)) }
        guard report.isApplied else {
            context.log.error("settings not reloaded", .count(report.problems.count))
            return
        }
        context.metrics.configurationLoaded()
        let changed = report.changed.isEmpty ? "nothing changed" : report.changed.joined(separator: ", ")
        context.log.info("settings reloaded", .reason(changed), .count(report.changed.count))
    }
}
