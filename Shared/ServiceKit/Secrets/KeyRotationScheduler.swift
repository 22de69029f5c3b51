import Contracts
package import Crypto
import Domain
package import Platform
package import Sockets
package import Storage

/// Seals what is stored under the present encryption key, whenever something is found that another one sealed.
///
/// Every replica of the API runs one; Postgres says whose turn it is. The operator's part is to set the new key and to keep
/// the previous one beside it until this is done (docs/key-rotation.md).
package struct KeyRotationScheduler: Service {
    package let name = "key-rotation"

    /// Longer than a batch takes.
    static let lease = Duration.seconds(60)
    /// How often a batch that Postgres did not answer is tried again, and after what.
    static let maxRetries = 3
    static let retryDelay = Duration.seconds(2)

    package enum Outcome: Sendable {
        /// Everything is under the present key.
        case nothing
        case ended(KeyRotation)
        case held(KeyRotation)
        case outdated(newest: String)
        /// Somebody took it over.
        case lost
    }

    private let store: KeyRotationStore
    private let box: SecretBox?
    private let settings: KeyRotationSettings
    private let loop: EventLoop
    private let holder: String
    private let log: Log
    private let metrics: Metrics

    /// - Parameters:
    ///   - box: as this process was started: a reload must not seal what others can not open yet. Nil rotates nothing.
    ///   - holder: names this process to others.
    package init(
        store: KeyRotationStore, box: SecretBox?, settings: KeyRotationSettings, loop: EventLoop, holder: String,
        log: Log, metrics: Metrics
    ) {
        self.store = store
        self.box = box
        self.settings = settings
        self.loop = loop
        self.holder = holder
        self.log = log
        self.metrics = metrics
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        metrics.declare(.keyRotations)
        guard box != nil else { return await shutdown.wait(for: .draining) }
        while shutdown.phase == .running {
            await check(while: { shutdown.phase == .running })
            await loop.pause(for: settings.check * Double.random(in: 0.8...1.2), until: shutdown)
        }
    }

    /// Looks once, rotates what has to be, and tells the metrics.
    package func check(while isWanted: @Sendable () -> Bool = { true }) async {
        guard let box else { return }
        do throws(StorageError) {
            let outcome = try await rotate(requestedBy: "scheduler", while: isWanted)
            tell(outcome)
            measure(try await store.standing(), box)
        } catch {
            log.warning("encryption keys not looked at", .error(error))
        }
    }

    private func tell(_ outcome: Outcome) {
        switch outcome {
        case .nothing, .held, .lost: break
        case .ended(let rotation) where rotation.state == .completed:
            log.info("stored secrets are sealed under the present key", .count(Int(rotation.resealed)))
        case .ended(let rotation):
            log.error("stored secrets can not all be opened", .reason(rotation.reason ?? ""))
        case .outdated(let newest):
            log.warning(
                "a newer encryption key is in use", .reason("this process seals under another key than \(newest)"))
        }
    }

    private func measure(_ standing: KeyStanding, _ box: SecretBox) {
        var counts = ["current": Int64(0), "previous": 0, "unreadable": 0]
        for count in standing.counts {
            let key =
                count.version == box.currentVersion
                ? "current" : box.versions.contains(count.version) ? "previous" : "unreadable"
            counts[key, default: 0] += count.rows
        }
        for (key, rows) in counts { metrics.set(.sealedSecrets, [key], to: Double(rows)) }
        guard settings.intervalDays > 0, let newest = standing.keys.first else { return }
        let age = (WallClock.nowMilliseconds() - newest.activatedAt.milliseconds) / 1000
        metrics.set(.keyDue, to: Double(Int64(settings.intervalDays) * 86_400 - age))
    }

    // MARK: Rotating

    /// Seals everything under the present key, if it is our turn.
    /// - Parameters:
    ///   - requestedBy: for the record: a subject, or `scheduler`.
    ///   - isOrdered: an operator says that this key is the one, even if it was in use before another.
    /// - Throws: ``StorageError``; what was done is done, and the next call goes on.
    package func rotate(
        requestedBy: String, isOrdered: Bool = false, from origin: Origin = .process,
        while isWanted: @Sendable () -> Bool = { true }
    ) async throws(StorageError) -> Outcome {
        guard let box else { return .nothing }
        let version = box.currentVersion
        if isOrdered { try await store.activate(version) }
        let newest = try await store.learn(version)
        guard newest == version else { return .outdated(newest: newest) }
        let others = try await store.counts().filter { $0.version != version }
        let isOpen = try await store.standing().rotations.first?.state == .inProgress
        guard isOpen || others.contains(where: { isOrdered || box.versions.contains($0.version) }) else {
            return .nothing
        }
        let begin = try await store.begin(
            version, holder: holder, requestedBy: requestedBy, lease: Self.lease,
            entry(.keyRotationBegun, requestedBy, AuditDetails.rotation(version: version), origin))
        switch begin {
        case .held(let rotation): return .held(rotation)
        case .outdated(let newest): return .outdated(newest: newest)
        case .begun(let rotation):
            KillPoint.reach(.afterRotationBegin)
            return try await run(rotation, box, requestedBy, origin, isWanted)
        }
    }

    private func run(
        _ rotation: KeyRotation, _ box: SecretBox, _ requestedBy: String, _ origin: Origin,
        _ isWanted: @Sendable () -> Bool
    ) async throws(StorageError) -> Outcome {
        var place = KeyRotationStore.Place()
        while isWanted() {
            switch try await step(rotation, box, from: place) {
            case .more(let next): place = next
            case .lost: return .lost
            case .done: return try await finish(rotation, box, requestedBy, origin)
            }
        }
        // A stop: the next process goes on when the lease is over.
        return .lost
    }

    private func step(
        _ rotation: KeyRotation, _ box: SecretBox, from place: KeyRotationStore.Place
    ) async throws(StorageError) -> KeyRotationStore.Step {
        var failures = 0
        while true {
            do throws(StorageError) {
                return try await store.step(
                    rotation, holder: holder, from: place, box: box, batch: settings.batch, lease: Self.lease)
            } catch {
                failures += 1
                guard failures <= Self.maxRetries, error.code == .unavailable else { throw error }
                try? await loop.sleep(for: Self.retryDelay)
            }
        }
    }

    private func finish(
        _ rotation: KeyRotation, _ box: SecretBox, _ requestedBy: String, _ origin: Origin
    ) async throws(StorageError) -> Outcome {
        let left = try await store.counts().filter { $0.version != box.currentVersion }.reduce(0) { $0 + $1.rows }
        let reason = left == 0 ? nil : "\(left) stored secrets open with none of the keys that are set"
        guard
            let ended = try await store.finish(
                rotation, holder: holder, reason: reason,
                {
                    entry(
                        .keyRotationEnded, requestedBy,
                        AuditDetails.rotation(
                            version: $0.version, resealed: $0.resealed, unreadable: $0.unreadable), origin)
                })
        else { return .lost }
        metrics.add(.keyRotations, [ended.state == .completed ? "completed" : "failed"])
        return .ended(ended)
    }

    private func entry(
        _ action: AuditAction, _ actor: String, _ details: JSONObject, _ origin: Origin
    ) -> AuditEntry {
        AuditEntry(action, by: actor, in: .default, on: "encryption_key", nil, details: details, from: origin)
    }
}

extension Origin {
    /// Of what a process does by itself.
    package static let process = Origin(address: "", userAgent: "", requestID: "")
}
