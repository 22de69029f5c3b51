import Domain
import Platform
import ServiceKit
import Sockets
import Storage

/// Exports what is counted in Postgres, which is the same in every replica: one bounded statement every few seconds,
/// however often somebody scrapes.
struct InstallationMetrics: Service {
    static let interval = Duration.seconds(5)
    /// A statement that takes longer is given up; the gauges keep their last values then.
    static let deadline = Duration.seconds(3)

    let name = "installation-metrics"
    let stores: APIStores
    let metrics: Metrics
    let levels: ServiceLevels
    let log: Log

    func run(until shutdown: ShutdownSignal) async throws {
        while shutdown.phase == .running {
            await look()
            await stores.loop.pause(for: Self.interval, until: shutdown)
        }
    }

    func look() async {
        do throws(StorageError) {
            let counts = try await stores.counts.read(timeout: Self.deadline)
            levels.looked(answers: true, now: MonotonicTime.now())
            levels.counted(counts.ends)
            export(counts)
        } catch {
            // What Postgres refuses, such as a table that is not there yet, it has answered.
            levels.looked(answers: error.code != .unavailable, now: MonotonicTime.now())
            log.debug("installation not counted", .error(error))
        }
        do throws(StorageError) {
            for standing in try await stores.ratings.providers(timeout: Self.deadline) {
                metrics.set(.agentElo, [standing.provider.rawValue], to: standing.elo.value)
                metrics.set(.agentWins, [standing.provider.rawValue], to: Double(standing.wins))
            }
        } catch {
            log.debug("ratings not read", .error(error))
        }
        do throws(StorageError) {
            let status = try await stores.receiptLog.status(timeout: Self.deadline)
            metrics.set(.receiptLogLeaves, to: Double(status.leaves))
            metrics.set(.receiptLogLag, to: status.lag.secondsValue)
        } catch {
            log.debug("receipt log not read", .error(error))
        }
        do throws(StorageError) {
            let overview = try await stores.budgets.overview(timeout: Self.deadline)
            metrics.set(.budgetReserved, to: Double(overview.reserved.amount) / 1e6)
            metrics.set(.budgetRemaining, to: overview.tightest.value)
        } catch {
            log.debug("budgets not read", .error(error))
        }
        // Nil while Redis is away: the last known size stays.
        if let dead = await stores.deadLetters() { metrics.set(.deadLetterQueue, to: Double(dead)) }
    }

    private func export(_ counts: InstallationCounts) {
        export(counts.queue)
        for (kind, count) in [("worker", counts.workers), ("embedded", counts.embeddedRunners)] {
            metrics.set(.workersLive, [kind], to: Double(count))
        }
        metrics.set(.budgetLimit, to: Double(counts.budgets.limit.amount) / 1e6)
        metrics.set(.budgetSpent, to: Double(counts.budgets.spent.amount) / 1e6)
        let completed = Double(counts.ends.completed)
        metrics.set(.consensusRate, to: completed == 0 ? .nan : Double(counts.ends.agreed) / completed)
        metrics.set(.receiptsStored, to: Double(counts.receipts))
        metrics.set(.receiptOldest, to: Self.seconds(counts.oldestReceipt))
    }

    private func export(_ queue: InstallationCounts.Queue) {
        metrics.set(.debatesWaiting, to: Double(queue.waiting))
        metrics.set(.debatesRunning, to: Double(queue.running))
        metrics.set(.oldestRunning, to: Self.seconds(queue.oldestRunning))
        metrics.set(.controlPlaneQueueDepth, to: Double(queue.waiting + queue.running + queue.paused))
        metrics.set(.oldestQueued, to: queue.longestWait.secondsValue)
        for (priority, count) in [("low", queue.low), ("normal", queue.normal), ("high", queue.high)] {
            metrics.set(.queueDepth, [priority], to: Double(count))
        }
    }

    private static func seconds(_ time: Timestamp?) -> Double { Double(time?.milliseconds ?? 0) / 1000 }
}
