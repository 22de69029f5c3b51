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

    /// Reads rings while there are free slots; what it reads only makes the claim loop look at the queue.
    func answerRings() async {
        guard let redis = dependencies.redis else { return }
        let reader = DoorbellReader(
            loop: dependencies.loop, configuration: redis.configuration, connection: redis.connection, keyspace: redis.keyspace,
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

    func makeControlListener() -> ControlListener? {
        guard let redis = dependencies.redis else { return nil }
        return ControlListener(
            loop: dependencies.loop, configuration: redis.configuration, keyspace: redis.keyspace, log: dependencies.log,
            onHint: { [weak self] hint in self?.assumeIsolated { $0.heard(hint) } })
    }

    private func heard(_ hint: ControlHint) {
        guard let debate = DebateID(hint.debateID), let run = runs[debate] else { return }
        switch hint.kind {
        case .commands:
            tell(run) { $0.lookForCommands() }
        case .cancel:
            // A hint of an older epoch than ours is about an earlier holder.
            guard hint.epoch > run.claim.epoch else { return }
            tell(run) { $0.stop(.lost(currentEpoch: hint.epoch)) }
        }
    }
}
