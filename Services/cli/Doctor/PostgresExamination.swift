import BackupCore
import Contracts
import Platform
import PostgresClient
import ServiceKit
import Storage

/// Looks at Postgres: reachable, of this installation, of this version. What one fault makes impossible is not tried.
struct PostgresExamination: Sendable {
    typealias Check = CommandReports.Check

    static let connectTimeout = Duration.milliseconds(2500)
    static let statementTimeout = Duration.milliseconds(1500)
    /// A clock further off is wrong; less may be this machine's load.
    static let maxSkewMilliseconds: Int64 = 5000

    /// What the checks that follow need; nil parts can not be had.
    struct Result: Sendable {
        var checks: [Check] = []
        var connection: PGConnection?
        var installation: Installation?
        var facts: StoreInspection.Facts?
        var serverVersion: Int?

        var isBroken: Bool { checks.contains { $0.status == .failed } }
    }

    let configuration: PGConfiguration
    let context: CommandContext

    init(_ configuration: PGConfiguration, _ context: CommandContext) {
        var configuration = configuration
        configuration.connectTimeout = Self.connectTimeout
        configuration.statementTimeout = Self.statementTimeout
        configuration.applicationName = "aragora-doctor"
        self.configuration = configuration
        self.context = context
    }

    /// Whether it can be reached at all.
    func connect() async -> Result {
        do throws(PGError) {
            let connection = try await PGConnection.open(configuration, loop: context.loop, log: context.log)
            let version = Int(await connection.serverVersion)
            let words = "PostgreSQL: connected (PostgreSQL \(version / 10_000).\(version % 10_000))"
            return Result(
                checks: [Check("postgresql", .passed, words)], connection: connection, serverVersion: version)
        } catch {
            return Result(checks: [Self.check(of: error)])
        }
    }

    /// Everything.
    func examine() async -> Result {
        var result = await connect()
        guard let connection = result.connection else { return result }
        let inspection = StoreInspection(connection: connection)
        async let schema = schema()
        if let skew = await skew(inspection) { result.checks.append(skew) }
        let schemaCheck = await schema
        result.checks.append(schemaCheck)
        guard schemaCheck.status == .passed else { return result }
        do throws(StorageError) {
            result.installation = try await InstallationStore.installation(on: connection)
            result.facts = try await inspection.facts()
        } catch {
            result.checks.append(.fault(.postgresAnswer, "tables", "PostgreSQL: \(error)"))
        }
        return result
    }

    private func skew(_ inspection: StoreInspection) async -> Check? {
        let before = WallClock.nowMilliseconds()
        guard let theirs = try? await inspection.clock() else { return nil }
        let after = WallClock.nowMilliseconds()
        let skew = theirs - (before + after) / 2
        guard abs(skew) > Self.maxSkewMilliseconds + (after - before) else {
            return Check("clock", .passed, "clock: Postgres's and this machine's agree")
        }
        return .fault(
            .clockSkew, "clock",
            "clock: this machine is \(abs(skew) / 1000) s \(skew < 0 ? "ahead of" : "behind") Postgres")
    }

    private func schema() async -> Check {
        do {
            let pending = try await Migrator.pending(
                StorageMigrations.all, configuration: configuration, loop: context.loop, log: context.log)
            guard !pending.isEmpty else { return Check("schema", .passed, "schema: up to date") }
            let isEmpty = pending.count == StorageMigrations.all.count
            let words = isEmpty ? "the database holds no schema of ours" : "\(pending.count) migrations pending"
            return .fault(.migrationMissing, "schema", "schema: \(words)")
        } catch let error as MigrationError {
            return .fault(error.code == .schemaIsNewer ? .schemaNewer : .schemaForeign, "schema", error.message)
        } catch let error as PGError {
            return Self.check(of: error)
        } catch {
            return .fault(.postgresAnswer, "schema", "\(error)")
        }
    }

    static func check(of error: PGError) -> Check {
        let message = "PostgreSQL: \(error.message)"
        guard error.code != .invalid else { return .fault(.settingMalformed, "postgresql", message) }
        switch error.sqlState {
        case .invalidPassword?, .invalidAuthorization?: return .fault(.postgresPassword, "postgresql", message)
        case .unknownDatabase?: return .fault(.postgresDatabase, "postgresql", message)
        case .tooManyConnections?: return .fault(.postgresSlots, "postgresql", message)
        case .some: return .fault(pooler(error.message) ?? .postgresAnswer, "postgresql", message)
        case nil:
            // libpq says so itself, before the server can.
            let wantsPassword = error.message.contains("no password supplied")
            return .fault(wantsPassword ? .postgresPassword : .postgresUnreachable, "postgresql", message)
        }
    }

    /// PgBouncer has one SQLSTATE for all it refuses, but fixed words.
    private static func pooler(_ message: String) -> Fault? {
        if message.contains("SASL authentication failed") || message.contains("password authentication failed") {
            return .postgresPassword
        }
        if message.contains("no such database") { return .postgresDatabase }
        return message.contains("no more connections allowed") ? .postgresSlots : nil
    }
}
