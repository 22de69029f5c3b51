package import Domain

/// What a process says about itself in the register: one JSON object in Redis, replaced with every beat.
///
/// `{"v":1,"service":…,"instance":…,"host":…,"pid":…,"metrics_port":…,"version":…,"commit":…,"started_at":…,"phase":…,
/// "reasons":[…],"degraded":[…]}`. Readers ignore members that they do not know.
package struct ReplicaEntry: Sendable, Equatable {
    /// The version we write and read.
    package static let version: Int64 = 1
    /// The largest entry, in bytes.
    package static let maximumBytes = 32 * 1024
    /// Of reasons, and of degraded checks; further ones are left out.
    static let mostSentences = 8
    static let sentenceCharacters = 200
    static let nameCharacters = 128

    /// How it stands, in its own words.
    package enum Phase: String, Sendable, CaseIterable {
        case starting, ready
        case notReady = "not_ready"
        case draining
    }

    /// "api", "ws-gateway", …
    package let service: String
    /// Tells replicas apart: host and process.
    package let instance: String
    package let host: String
    package let pid: Int
    /// Where its health and metrics are served on that host.
    package let metricsPort: Int
    package let version: String
    package let commit: String
    package let startedAt: Timestamp
    package let phase: Phase
    /// Why it is not ready; empty when it is.
    package let reasons: [String]
    /// What it is without although it is ready.
    package let degraded: [String]

    package init(
        service: String, host: String, pid: Int, metricsPort: Int, version: String, commit: String,
        startedAt: Timestamp, phase: Phase, reasons: [String], degraded: [String]
    ) {
        self.service = Self.cut(service, Self.nameCharacters)
        self.host = Self.cut(host, Self.nameCharacters)
        self.pid = pid
        self.metricsPort = metricsPort
        // Processes of containers on the host's network have one name and often one number; their ports differ.
        instance = "\(self.host):\(pid):\(metricsPort)"
        self.version = Self.cut(version, Self.nameCharacters)
        self.commit = Self.cut(commit, Self.nameCharacters)
        self.startedAt = startedAt
        self.phase = phase
        self.reasons = Self.bounded(reasons)
        self.degraded = Self.bounded(degraded)
    }

    /// What tells it from all others in the register.
    package var key: String { "\(service) \(instance)" }

    package var bytes: [UInt8] {
        let object: JSONValue = [
            "v": .int(Self.version), "service": .string(service), "instance": .string(instance), "host": .string(host),
            "pid": .int(Int64(pid)), "metrics_port": .int(Int64(metricsPort)), "version": .string(version),
            "commit": .string(commit), "started_at": .string(startedAt.iso8601), "phase": .string(phase.rawValue),
            "reasons": .strings(reasons), "degraded": .strings(degraded),
        ]
        return object.bytes
    }

    /// Reads an entry.
    /// - Throws: ``ContractError``; a reader leaves the entry out.
    package init(decoding bytes: [UInt8]) throws(ContractError) {
        guard let value = try? JSONParser.parse(bytes, maximumBytes: Self.maximumBytes) else {
            throw ContractError(.malformed, "register entry of \(bytes.count) bytes")
        }
        guard value["v"]?.int == Self.version else { throw ContractError(.unknownVersion, "register entry") }
        guard let service = value["service"]?.string, let host = value["host"]?.string,
            let pid = value["pid"]?.int, let port = value["metrics_port"]?.int, let version = value["version"]?.string,
            let commit = value["commit"]?.string,
            let startedAt = value["started_at"]?.string.flatMap(Timestamp.init(iso8601:)),
            let phase = value["phase"]?.string.flatMap(Phase.init(rawValue:))
        else { throw ContractError(.malformed, "register entry without what it must say") }
        func texts(_ name: String) -> [String] { value[name]?.array?.compactMap(\.string) ?? [] }
        self.init(
            service: service, host: host, pid: Int(pid), metricsPort: Int(port), version: version, commit: commit,
            startedAt: startedAt, phase: phase, reasons: texts("reasons"), degraded: texts("degraded"))
    }

    /// By scalars: one character may have any number of them.
    private static func cut(_ text: String, _ length: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(length)))
    }
    private static func bounded(_ sentences: [String]) -> [String] {
        sentences.prefix(mostSentences).map { cut($0, sentenceCharacters) }
    }
}
