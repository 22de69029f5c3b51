package import Contracts
package import Crypto
import Domain
package import Storage

/// The standing of stored secrets in words and JSON: the same for the API and the command line.
package struct KeyStandingReport: Sendable {
    package let keys: [KeyRotationBody.Key]
    /// Whether secrets are left that only a previous key opens.
    package let isPreviousNeeded: Bool
    package let unreadable: Int64
    package let json: JSONValue

    package init(_ standing: KeyStanding, _ box: SecretBox, _ settings: KeyRotationSettings) {
        let known = standing.keys.map(\.version)
        let versions = ([box.currentVersion] + box.versions.dropFirst() + known + standing.counts.map(\.version))
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let present = versions.map { version in
            let secrets = standing.counts.filter { $0.version == version }.map { ($0.column, $0.rows) }
            let state: KeyRotationBody.Key.State =
                version == box.currentVersion
                ? .current
                : box.versions.contains(version) ? .previous : secrets.isEmpty ? .retired : .unreadable
            return KeyRotationBody.Key(
                version: version, state: state,
                activatedAt: standing.keys.first { $0.version == version }?.activatedAt, secrets: secrets)
        }
        keys = present
        func rows(_ state: KeyRotationBody.Key.State) -> Int64 {
            present.filter { $0.state == state }.flatMap(\.secrets).reduce(0) { $0 + $1.rows }
        }
        isPreviousNeeded = rows(.previous) > 0
        unreadable = rows(.unreadable)
        let done = standing.rotations.first { $0.state == .completed && $0.version == box.currentVersion }?.endedAt
        let current = standing.keys.first { $0.version == box.currentVersion }?.activatedAt
        let hasPrevious = present.contains { $0.state == .previous }
        func after(_ time: Timestamp?, days: Int) -> Timestamp? {
            time.map { Timestamp(milliseconds: $0.milliseconds + Int64(days) * 86_400_000) }
        }
        json = KeyRotationBody.keys(
            present, isPreviousNeeded: isPreviousNeeded,
            previousUntil: hasPrevious && !isPreviousNeeded ? after(done ?? current, days: settings.overlapDays) : nil,
            dueAt: settings.intervalDays > 0 ? after(current, days: settings.intervalDays) : nil,
            agingKeys: standing.aging.keys, agingCodes: standing.aging.backupCodes)
    }
}

extension KeyRotationBody.Rotation {
    package init(_ rotation: KeyRotation) {
        self.init(
            id: rotation.id, version: rotation.version, state: rotation.state.rawValue,
            requestedBy: rotation.requestedBy, startedAt: rotation.startedAt, updatedAt: rotation.updatedAt,
            endedAt: rotation.endedAt, resealed: rotation.resealed, unreadable: rotation.unreadable,
            reason: rotation.reason)
    }
}

extension KeyRotationScheduler.Outcome {
    /// One word, one sentence, and whether all is well.
    package var report: (word: String, sentence: String, rotation: KeyRotationBody.Rotation?, isGood: Bool) {
        switch self {
        case .nothing: return ("skipped", "every stored secret is under the present key already", nil, true)
        case .held(let rotation):
            return ("in_progress", "another process is at it; it takes over what it leaves", .init(rotation), true)
        case .lost: return ("in_progress", "another process took it over", nil, true)
        case .outdated(let newest):
            return ("failed", "the newer key \(newest) is in use; set it here, or order this one", nil, false)
        case .ended(let rotation) where rotation.state == .completed:
            return ("completed", "\(rotation.resealed) secrets sealed anew", .init(rotation), true)
        case .ended(let rotation): return ("failed", rotation.reason ?? "failed", .init(rotation), false)
        }
    }
}
