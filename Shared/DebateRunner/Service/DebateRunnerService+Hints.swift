import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import Sockets

/// Redis's part: rings for waiting debates, and hints about running ones. All of it may be lost.
extension DebateRunnerService {
    /// How long one read waits for a ring.
    private static let ringWait: Duration = .seconds(2)

    /// Listens to rings and hints until a drain.
    func listen() async {
        guard let redis = dependencies.redis else { return }
        // The names of both are the same in every generation of the log, so the first keyspace will do.
        while redis.keyspace() == nil, phase == .running, !Task.isCancelled { await slotChange() }
        guard let keyspace = redis.keyspace() else { return }
        let listener = ControlListener(
            loop: dependencies.loop, configuration: redis.configuration, keyspace: keyspace, log: dependencies.log,
            onHint: { [weak self] hint in self?.assumeIsolated { $0.heard(hint) } })
        await listener.start()
        await answerRings(redis, keyspace)
        await listener.close()
    }

    /// Reads rings while there are free slots; what it reads only makes the claim loop look at the queue.
    private func answerRings(_ redis: RunnerRedis, _ keyspace: Keyspace) async {
        let reader = DoorbellReader(
            loop: dependencies.loop, configuration: redis.configuration, connection: redis.connection,
            keyspace: keyspace,
            consumer: consumerName(), log: dependencies.log)
        self.reader = reader
        var backoff = Backoff(first: .milliseconds(100), cap: .seconds(5))
        while !Task.isCancelled, phase == .running {
            guard freeSlots > 0, mayClaim, !hasUnansweredRings else {
                await slotChange()
                continue
            }
            do throws(RedisError) {
                switch try await reader.read(max: freeSlots, block: Self.ringWait) {
                case .deliveries(let deliveries):
                    if !deliveries.isEmpty { rang(deliveries) }
                case .flushed:
                    lookAtQueue()
                }
                backoff.reset()
            } catch {
                dependencies.log.debug("no rings", .error(error))
                try? await dependencies.loop.sleep(for: backoff.next())  // ends early when the service ends
            }
        }
        self.reader = nil
        await reader.close()
    }

    private func consumerName() -> String { "\(settings.kind.rawValue)-\(UInt64.random(in: .min ... .max))" }

    private func heard(_ hint: ControlHint) {
        guard let debate = DebateID(hint.debateID), let run = runs[debate] else { return }
        switch hint.kind {
        case .commands:
            tell(run) { $0.lookForCommands() }
        case .cancel:
            // A hint of an older epoch than ours is about an earlier holder.
            guard hint.epoch > run.claim.epoch else { return }
            tell(run) { $0.stop(.lost(currentEpoch: hint.epoch)) }
        case .revoked: break
        }
    }
}
