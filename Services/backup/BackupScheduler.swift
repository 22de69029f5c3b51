import BackupCore
import Platform
import ServiceKit
import Sockets

/// Makes a backup whenever the newest one is older than the interval. One that is under way when the service drains is
/// given up: a half-made dump is worth nothing, and nothing of it remains.
struct BackupScheduler: Service {
    /// Between tries while Postgres can not be reached at start, or another run is in the way.
    static let pollInterval = Duration.seconds(1)
    static let busyInterval = Duration.seconds(60)
    /// How often the folder is looked at.
    static let refreshInterval = Duration.seconds(60)

    let name = "backup-scheduler"
    let runner: BackupRunner
    let interval: Duration
    let status: BackupStatus
    let blocking: BlockingExecutor
    let context: ServiceContext

    func run(until shutdown: ShutdownSignal) async throws {
        // Awaited below; a task of its own, because a drain must be able to cancel it.
        let work = Task(executorPreference: context.mainLoop) { try await cycle() }
        shutdown.onReaching(.draining) { work.cancel() }
        do { try await work.value } catch is CancellationError { return }
    }

    private func cycle() async throws {
        try await awaitStart()
        var schedule = BackupSchedule(interval: interval)
        while !Task.isCancelled {
            let newest = await refresh()
            let wait = schedule.wait(newest: newest, now: WallClock.nowMilliseconds() / 1000)
            status.setOverdue(schedule.isOverdue(newest: newest, now: WallClock.nowMilliseconds() / 1000))
            guard wait == .zero else {
                // In steps, so that metrics and health soon know what `aragora backup create` made.
                try await context.mainLoop.sleep(for: min(wait, Self.refreshInterval))
                continue
            }
            await backUp(&schedule)
        }
    }

    /// A wrong client version or a folder that can not be written is told at start, not at night.
    private func awaitStart() async throws {
        while true {
            do {
                return try await runner.check()
            } catch let error as BackupError where error.code == .busy {
                return
            } catch let error as BackupError where error.code == .unsuitable || error.code == .files {
                throw ServiceHost.ConfigurationError(error.message)
            } catch {
                context.log.warning("backup can not begin yet", .error(error))
                try await context.mainLoop.sleep(for: Self.pollInterval)
            }
        }
    }

    private func backUp(_ schedule: inout BackupSchedule) async {
        let begun = BootInstant.now()
        do {
            let entry = try await runner.run()
            schedule.succeeded()
            context.metrics.observe(.backupDuration, [], BootInstant.now().since(begun).secondsValue)
            status.finished("success", newest: entry)
        } catch let error as BackupError where error.code == .busy {
            context.log.info("backup put off", .reason(error.message))
            status.finished("skipped", newest: nil)
            try? await context.mainLoop.sleep(for: Self.busyInterval)  // ends early only when the service drains
        } catch {
            guard !Task.isCancelled else { return context.log.info("backup given up", .reason("shutting down")) }
            schedule.failed(now: WallClock.nowMilliseconds() / 1000)
            context.log.error("backup failed", .error(error))
            status.finished("failure", newest: nil)
        }
    }

    /// Reads the folder again: others make and remove backups too.
    private func refresh() async -> Int64? {
        do {
            let newest = try await blocking.run { [runner] in try runner.folder.entries().first }
            status.found(newest)
            return newest?.name.second
        } catch {
            context.log.warning("backups not listed", .error(error))
            return nil
        }
    }
}
