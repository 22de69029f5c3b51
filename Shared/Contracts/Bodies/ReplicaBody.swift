package import Domain

/// `/api/health/replicas`: every process of the installation, as the register has it.
package enum ReplicaBody {
    /// Where the list comes from.
    package enum Register: String, Sendable, CaseIterable {
        /// All processes that beat.
        case shared
        /// No Redis is set: only the process that answers.
        case none
        /// Redis does not answer: only the process that answers.
        case unavailable
    }

    package struct Row: Sendable {
        package let entry: ReplicaEntry
        /// When it beat last.
        package let seenAt: Timestamp
        /// Since then, by the register's clock.
        package let silence: Duration
        package let isLost: Bool
        /// Whether it is the process that answers.
        package let isSelf: Bool

        package init(entry: ReplicaEntry, seenAt: Timestamp, silence: Duration, isLost: Bool, isSelf: Bool) {
            self.entry = entry
            self.seenAt = seenAt
            self.silence = silence
            self.isLost = isLost
            self.isSelf = isSelf
        }

        /// A process that is lost says nothing any more, whatever it said last.
        var status: String { isLost ? Self.lost : entry.phase.rawValue }
        static let lost = "lost"

        var json: JSONValue {
            [
                "service": .string(entry.service), "instance": .string(entry.instance), "host": .string(entry.host),
                "pid": .int(Int64(entry.pid)), "metrics_port": .int(Int64(entry.metricsPort)),
                "version": .string(entry.version), "commit": .string(entry.commit), "status": .string(status),
                "reasons": .strings(entry.reasons), "degraded": .strings(entry.degraded),
                "started_at": .string(entry.startedAt.iso8601), "seen_at": .string(seenAt.iso8601),
                "silent_seconds": .fraction(Double(silence / .milliseconds(1)) / 1000), "answers": .bool(isSelf),
            ]
        }
    }

    /// What a replica's status may be.
    package static let statuses = ReplicaEntry.Phase.allCases.map(\.rawValue) + [Row.lost]

    /// - Parameters:
    ///   - beat: between two beats.
    ///   - lostAfter: a silence that counts as lost.
    ///   - forgottenAfter: a silence after which a replica is no longer listed.
    package static func make(
        _ rows: [Row], register: Register, beat: Duration, lostAfter: Duration, forgottenAfter: Duration,
        at time: Timestamp
    ) -> JSONValue {
        let services = Dictionary(grouping: rows, by: \.entry.service).sorted { $0.key < $1.key }
        func count(_ rows: [Row], _ status: String) -> JSONValue { .int(Int64(rows.count { $0.status == status })) }
        let summary = services.map { name, rows -> JSONValue in
            [
                "service": .string(name), "replicas": .int(Int64(rows.count { !$0.isLost })),
                "ready": count(rows, ReplicaEntry.Phase.ready.rawValue), "lost": count(rows, Row.lost),
                "versions": .strings(Set(rows.filter { !$0.isLost }.map(\.entry.version)).sorted()),
            ]
        }
        return PageBody.make(
            "replicas", items: rows.map(\.json), total: rows.count, limit: rows.count, offset: 0,
            extra: [
                ("register", .string(register.rawValue)), ("services", .array(summary)),
                ("beat_seconds", .int(beat.components.seconds)),
                ("lost_after_seconds", .int(lostAfter.components.seconds)),
                ("forgotten_after_seconds", .int(forgottenAfter.components.seconds)),
                ("timestamp", .string(time.iso8601)),
            ])
    }
}
