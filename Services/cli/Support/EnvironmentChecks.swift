import Contracts
import Crypto
import Platform
import PostgresClient
import RedisClient
import ServiceKit
import Sockets

/// Looks at an installation's settings, and at the stores they name. Reads only.
struct EnvironmentChecks: Sendable {
    static let minimumSecretCharacters = 32
    static let encryptionKeyBytes = 32
    static let connectTimeout = Duration.seconds(5)

    let survey: EnvironmentSurvey
    let context: CommandContext

    private var isProduction: Bool { survey.environment == .production }

    /// Every check, in the order an operator reads them.
    func all() async -> [CommandReports.Check] {
        let settings = survey.problems.map { CommandReports.Check("settings", .failed, $0) }
        let environment = CommandReports.Check("environment", .passed, "Environment: \(survey.environment.rawValue)")
        return [environment] + settings.prefix(1)
            + settings.dropFirst().enumerated().map { index, check in
                CommandReports.Check("settings_\(index + 2)", check.status, check.message)
            } + [
                encryptionKey(), apiToken(), jwtSecret(), receiptKey(), await redis(), await postgres(), providers(),
            ]
    }

    func encryptionKey() -> CommandReports.Check {
        guard let key = survey.encryptionKey?.reveal() else {
            return missing("encryption", "Encryption key: not set", required: false)
        }
        guard let bytes = Hex.decode(key), bytes.count == Self.encryptionKeyBytes else {
            return .init("encryption", .failed, "Encryption key: must be 64 hex digits (openssl rand -hex 32)")
        }
        return .init("encryption", .passed, "Encryption key: configured (\(bytes.count) bytes)")
    }

    func apiToken() -> CommandReports.Check {
        guard let token = survey.apiToken?.reveal() else {
            return missing("api_token", "API token: not set, every request is allowed", required: isProduction)
        }
        return secret("api_token", "API token", token)
    }

    func jwtSecret() -> CommandReports.Check {
        guard let secret = survey.jwtSecret?.reveal() else {
            return missing("jwt_secret", "JWT secret: not set", required: false)
        }
        return self.secret("jwt_secret", "JWT secret", secret)
    }

    func receiptKey() -> CommandReports.Check {
        guard let key = survey.receiptKey?.reveal() else {
            return missing("receipt_key", "Receipt signing key: not set, receipts are not signed", required: false)
        }
        return secret("receipt_key", "Receipt signing key", key)
    }

    func redis() async -> CommandReports.Check {
        guard let configuration = survey.redis else {
            return missing("redis", "Redis: not configured; viewers are served from Postgres", required: false)
        }
        let connection = RedisConnection(loop: context.loop, configuration: configuration, log: context.log)
        await connection.start()
        let check: CommandReports.Check
        do {
            try await connection.connect(timeout: Self.connectTimeout)
            let info = try await connection.send(RedisCommand("INFO", "server")).text ?? ""
            let version = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }?.dropFirst(
                14)
            check = .init("redis", .passed, "Redis: connected (version \(version ?? "unknown"))")
        } catch {
            check = .init("redis", .failed, "Redis: \(error)")
        }
        await connection.close()
        return check
    }

    func postgres() async -> CommandReports.Check {
        guard let configuration = survey.postgres else {
            return .init("postgresql", .failed, "PostgreSQL: not configured (ARAGORA_POSTGRES_DSN)")
        }
        do {
            let connection = try await PGConnection.open(configuration, loop: context.loop, log: context.log)
            let version = Int(await connection.serverVersion)
            await connection.close()
            return .init(
                "postgresql", .passed, "PostgreSQL: connected (PostgreSQL \(version / 10_000).\(version % 10_000))")
        } catch {
            return .init("postgresql", .failed, "PostgreSQL: \(error)")
        }
    }

    func providers() -> CommandReports.Check {
        if !survey.providers.isEmpty {
            return .init("ai_providers", .passed, "AI provider: \(survey.providers.joined(separator: ", ")) configured")
        }
        let words = "AI provider: none configured, the built-in demo agents answer"
        guard isProduction else { return .init("ai_providers", .warning, words) }
        return survey.allowsDemo
            ? .init("ai_providers", .warning, words)
            : .init("ai_providers", .failed, "AI provider: none configured (for example ANTHROPIC_API_KEY)")
    }

    private func missing(_ name: String, _ message: String, required: Bool) -> CommandReports.Check {
        .init(name, required ? .failed : isProduction ? .warning : .skipped, message)
    }

    /// A placeholder is worse than nothing: it looks like a secret and is none.
    private func secret(_ name: String, _ title: String, _ value: String) -> CommandReports.Check {
        if value.uppercased().contains("CHANGEME") { return .init(name, .failed, "\(title): still the placeholder") }
        guard value.count >= Self.minimumSecretCharacters else {
            let message = "\(title): \(value.count) characters, should be \(Self.minimumSecretCharacters) or more"
            return .init(name, isProduction ? .failed : .warning, message)
        }
        return .init(name, .passed, "\(title): configured (\(value.count) characters)")
    }
}
