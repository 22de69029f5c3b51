import Contracts
import Domain
import Messaging
import Platform
import Sockets
import Storage

/// What makes hints unnecessary: every half second, look at the queue, at others' debates and at overdue ones.
extension DebateRunnerService {
    /// The watchdog looks in every n-th sweep.
    private static let watchdogSweeps = 4
    /// What dead runners left behind, rows and rings, is removed in every n-th sweep.
    private static let purgeSweeps = 120
    /// A ring that nobody acknowledged for this long was fetched by a runner that is dead.
    private static let deadRing: Duration = .seconds(60)

    func sweep() async {
        var count = 0
        while !Task.isCancelled, phase == .running {
            do { try await dependencies.loop.sleep(for: RunnerSettings.sweep * Double.random(in: 0.8...1.2)) } catch {
                return
            }
            guard let registry, phase == .running else { continue }
            count += 1
            await askPolicy()
            lookAtQueue()
            await lookAtOthers(registry, sweep: count)
        }
    }

    /// Whether an embedded runner is needed now.
    func askPolicy() async {
        guard policy == .auto else { return }
        do throws(StorageError) {
            let status = try await QueueReader(pool: dependencies.pool).status()
            let waited = status.oldestWaiting.map {
                Duration.milliseconds(WallClock.nowMilliseconds() - $0.milliseconds)
            }
            mayClaim = policy.mayClaim(.init(liveWorkers: status.workers, longestWait: waited))
            if mayClaim { wakeSlotWaiters() }
        } catch {
            dependencies.log.warning("queue not read", .error(error))
        }
    }

    private func lookAtOthers(_ registry: RunnerRegistry, sweep: Int) async {
        do {
            let finding = try await registry.sweepPresence(now: context.lease.reading())
            guard finding.mayAdopt, phase == .running else { return }
            try await adopt(for: registry.registration.id, dead: finding.dead)
            if sweep % Self.watchdogSweeps == 0 { try await watch(dead: finding.dead) }
            if sweep % Self.purgeSweeps == 0 {
                try await registry.purge()
                await takeOverRings()
            }
        } catch let error as RunStoreError {
            claimFailed(error, "adopt")
        } catch {
            dependencies.log.warning("sweep failed", .error(error))
        }
    }

    /// Batches, for as long as they are full: a worker that held more than one batch shall not be adopted in as many
    /// sweeps. A pause, drawn each time, lets the other survivors have theirs; ``RunnerSettings/adoptionBatches`` of them take
    /// no longer than the time to the next sweep.
    func adopt(for runner: RunnerID, dead: [RunnerID]) async throws {
        for batch in 1...RunnerSettings.adoptionBatches {
            guard freeSlots > 0, mayClaim, phase == .running else { return }
            let limit = min(freeSlots, RunnerSettings.claimBatch)
            let claims = try await store.adopt(runner: runner, dead: dead, limit: limit)
            arrived(claims, by: runner)
            guard claims.count == RunnerSettings.claimBatch, batch < RunnerSettings.adoptionBatches else { return }
            try await dependencies.loop.sleep(for: RunnerSettings.adoptionPause * Double.random(in: 0.5...1.5))
        }
    }

    private func takeOverRings() async {
        do {
            if let rings = try await reader?.reclaim(minIdle: Self.deadRing), !rings.isEmpty { rang(rings) }
        } catch {
            dependencies.log.debug("rings not taken over", .error(error))
        }
    }

    // MARK: The watchdog

    /// Ends debates that nobody else ends: overdue ones, those that stand still, and those that kill their runners.
    private func watch(dead: [RunnerID]) async throws {
        let takeover = Takeover(pool: dependencies.pool)
        let reasons: [(Takeover.Reason, DebateStatus, String)] = [
            (.overdue, .timeout, "It took longer than it was given."),
            (
                .stalled(RunnerSettings.noProgress), .failed,
                "It made no progress for \(RunnerSettings.noProgress.components.seconds) seconds."
            ),
            (
                .exhausted(attempts: settings.maxAdoptions, dead: dead), .failed,
                "Its runners failed \(settings.maxAdoptions) times."
            ),
        ]
        for (reason, status, sentence) in reasons {
            for debate in try await takeover.due(reason, limit: RunnerSettings.claimBatch) {
                await end(debate, reason, as: status, because: sentence, takeover)
            }
        }
    }

    private func end(
        _ debate: DebateID, _ reason: Takeover.Reason, as status: DebateStatus, because sentence: String,
        _ takeover: Takeover
    ) async {
        let sealer = EndingSealer(
            keys: dependencies.receiptKeys, previousReceipt: { [sequencer] in sequencer.newestChecksum })
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let log = dependencies.log.with(.debateID(debate.text))
        do {
            let outcome = try await takeover.end(debate, because: reason) { run in
                try sealer.seal(run, as: status, reason: sentence, now: now)
            }
            guard case .ended(let events, let epoch, _) = outcome, let last = events.last else { return }
            log.warning("debate ended by the watchdog", .state(status.rawValue), .reason(sentence))
            EndMetrics.count(events, in: dependencies.metrics)
            publisher.began(debate, epoch: epoch, tail: LogTail(seq: last.seq, hash: last.hash), events: events)
            publisher.ended(debate)
            await tellOthers(debate, epoch: epoch, reason: reason, sentence: sentence)
        } catch {
            log.error("watchdog could not end a debate", .error(error))
        }
    }

    /// Hints: the old holder aborts its calls at once, and people see what was given up.
    private func tellOthers(_ debate: DebateID, epoch: Int64, reason: Takeover.Reason, sentence: String) async {
        if let run = runs[debate], run.claim.epoch < epoch { tell(run) { $0.stop(.lost(currentEpoch: epoch)) } }
        guard let redis = dependencies.redis else { return }
        do {
            try await redis.control?.send(ControlHint(kind: .cancel, debateID: debate.text, epoch: epoch))
            guard case .exhausted = reason else { return }
            dependencies.metrics.add(.deadLetters)
            try await redis.doorbell?.bury(debate, reason: sentence)
        } catch {
            dependencies.log.debug("hint not sent", .error(error))
        }
    }
}
