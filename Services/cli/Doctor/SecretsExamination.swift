import Contracts
import Crypto
import Platform
import Storage

/// Looks at the secrets that are stored sealed: which key each has, and whether those that are set open them.
struct SecretsExamination: Sendable {
    typealias Check = CommandReports.Check

    /// Rows that are named in one line.
    static let maxNamed = 5

    let postgres: PostgresExamination.Result
    let context: CommandContext

    func examine() async -> [Check] {
        // Postgres comes first; what is wrong there is said there.
        guard postgres.facts != nil, let connection = postgres.connection else { return [] }
        let box: SecretBox?
        do { box = try context.settings.secretBox() } catch {
            return [.note("stored_secrets", "stored secrets: not tried, the settings come first")]
        }
        do throws(StorageError) {
            return Self.checks(try await SecretInspection(connection: connection).examine(box), box)
        } catch {
            return [.fault(.postgresAnswer, "stored_secrets", "PostgreSQL: \(error)")]
        }
    }

    static func checks(_ found: SecretInspection.Findings, _ box: SecretBox?) -> [Check] {
        let name = "stored_secrets"
        let previous = found.rows(Array(box?.versions.dropFirst() ?? []))
        let current = found.rows(box.map { [$0.currentVersion] } ?? [])
        var checks: [Check] = []
        if found.unreadable > 0 {
            let shown = found.named.prefix(maxNamed).joined(separator: ", ")
            let more = found.unreadable > min(maxNamed, found.named.count) ? ", …" : ""
            let lost = found.counts.filter { box?.versions.contains($0.version) != true }
            let keys = lost.isEmpty ? "" : "; of keys that are not set: \(words(lost))"
            checks.append(
                .fault(
                    .secretUnreadable, name,
                    "stored secrets: \(found.unreadable) open with no key that is set: \(shown)\(more)\(keys)"))
        }
        if !previous.isEmpty {
            checks.append(
                .fault(.secretsOfPreviousKey, name, "stored secrets: under a previous key still: \(words(previous))"))
        }
        guard checks.isEmpty || !current.isEmpty else { return checks }
        let untried = found.untried > 0 ? "; \(found.untried) were not tried" : ""
        let text = current.isEmpty ? "none" : "under the present key: \(words(current))\(untried)"
        return [Check(name, .passed, "stored secrets: \(text)")] + checks
    }

    /// `1f2e3d4c: users.mfa_secret 3, webhook_endpoints.secret 2`, for each key.
    private static func words(_ counts: [SealedCount]) -> String {
        var versions: [String] = []
        for count in counts where !versions.contains(count.version) { versions.append(count.version) }
        return versions.map { version in
            let columns = counts.filter { $0.version == version }.map { "\($0.column) \($0.rows)" }
            return "\(version) (\(columns.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
