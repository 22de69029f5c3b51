import Domain
import Platform
import PostgresClient
import Sockets
import Storage

/// Keeps this process registered, and its runs in step with what Postgres says it holds.
extension DebateRunnerService {
    /// Renews every second; comes back on a new connection after an outage, under a new id after an expiry.
    func keepLease() async {
        var registration = makeRegistration()
        var backoff = Backoff(first: .milliseconds(100), cap: .seconds(1))
        while !Task.isCancelled, !isRetiring {
            do {
                let registry = try await register(registration)
                backoff.reset()
                try await renew(registry)
                registration = makeRegistration()
            } catch {
                if Task.isCancelled || isRetiring { return }
                dependencies.log.warning("lease not renewed", .runnerID(registration.id.text), .error(error))
                await disconnect()
                try? await dependencies.loop.sleep(for: backoff.next())  // ends early when the service ends
            }
        }
    }

    private func makeRegistration() -> RunnerRegistry.Registration {
        let random = (0..<10).map { _ in UInt8.random(in: .min ... .max) }
        return .init(
            id: RunnerID(milliseconds: WallClock.nowMilliseconds(), random: random),
            kind: settings.kind == .worker ? .worker : .embedded, capacity: settings.concurrency,
            presenceKey: dependencies.usesPresence ? .random(in: 1 ... .max) : nil, lease: settings.lease)
    }

    private func register(_ registration: RunnerRegistry.Registration) async throws -> RunnerRegistry {
        let connection = try await PGConnection.open(
            RunnerRegistry.configure(dependencies.sessions), loop: dependencies.loop, log: dependencies.log)
        let registry = RunnerRegistry(registration, on: connection)
        let sentAt = context.lease.reading()
        do { try await registry.register() } catch {
            await connection.close()
            throw error
        }
        guard !isRetiring else {
            try await registry.retire()
            throw CancellationError()
        }
        context.lease.confirm(sentAt: sentAt)
        self.registry = registry
        dependencies.log.info("runner registered", .runnerID(registration.id.text))
        await askPolicy()
        wakeSlotWaiters()
        lookAtQueue()
        return registry
    }

    /// Renews until the registration has expired.
    private func renew(_ registry: RunnerRegistry) async throws {
        while true {
            try await dependencies.loop.sleep(for: RunnerSettings.renewal)
            let sentAt = context.lease.reading()
            guard case .holdings(let holdings, let commanded) = try await registry.renew() else {
                return registrationLost()
            }
            guard self.registry === registry else { return }
            context.lease.confirm(sentAt: sentAt)
            await reconcile(holdings, asOf: sentAt, runner: registry.registration.id)
            for (debate, run) in runs {
                tell(run) { commanded.contains(debate) ? $0.lookForCommands() : $0.leaseRenewed() }
            }
        }
    }

    /// The row is gone: whatever ran under it is not ours.
    func registrationLost() {
        context.lease.invalidate()
        guard let registry else { return }
        self.registry = nil
        dependencies.log.warning("registration lost", .runnerID(registry.registration.id.text))
        for run in runs.values { tell(run) { $0.stop(.runnerExpired) } }
        dependencies.loop.schedule(after: .zero) { registry.connection.assumeIsolated { $0.close() } }
    }

    private func disconnect() async {
        await registry?.connection.close()
        registry = nil
    }

    /// Stops what is not ours any more, and takes up anew what is ours without our knowing: the answer to a claim was lost.
    ///
    /// - Parameter asOf: when the renewal was sent; younger claims can not be in its answer.
    private func reconcile(_ holdings: [Holding], asOf: BootInstant, runner: RunnerID) async {
        let held = Dictionary(holdings.map { ($0.debate, $0.epoch) }) { first, _ in first }
        for run in runs.values where run.claimedAt < asOf && held[run.claim.debate] != run.claim.epoch {
            tell(run) { $0.stop(.lost(currentEpoch: held[run.claim.debate] ?? run.claim.epoch)) }
        }
        // A claim's answer may still be on its way: only what two renewals name is unknown.
        let unknown = Set(holdings.filter { runs[$0.debate] == nil && !broken.contains($0.debate) })
        let forgotten = unknown.intersection(suspects)
        suspects = unknown.subtracting(forgotten)
        for holding in forgotten {
            do throws(RunStoreError) {
                if let claim = try await store.reconcile(holding, runner: runner) { arrived([claim], by: runner) }
            } catch {
                claimFailed(error, "reconcile")
            }
        }
    }

    /// The last thing: the row goes, then the lock.
    func retire() async {
        isRetiring = true
        guard let registry else { return }
        self.registry = nil
        do { try await registry.retire() } catch {
            dependencies.log.warning("runner not retired", .error(error))  // its lease expires
        }
        await registry.connection.close()
    }
}
