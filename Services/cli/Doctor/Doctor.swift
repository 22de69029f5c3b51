import Contracts
import Platform
import PostgresClient
import RedisClient

/// Examines an installation: everything at the same time, each part with a deadline, and of what hangs together only the
/// cause.
struct Doctor: Sendable {
    typealias Check = CommandReports.Check
    typealias Section = (title: String, checks: [Check])

    /// For one part; with ``queueDeadline`` after it an examination takes less than five seconds.
    static let partDeadline = Duration.milliseconds(3700)
    static let queueDeadline = Duration.milliseconds(1000)

    let survey: EnvironmentSurvey
    let context: CommandContext

    func examine() async -> [Section] {
        let settings = SettingsExamination(survey: survey)
        async let stores = stores()
        async let host = host()
        async let providers = providers(settings)
        async let certificate = certificate()
        async let server = server()
        let (postgres, redis, debates, backups) = await stores
        let sections: [Section] = [
            ("Environment", settings.all()), ("Certificate", await certificate), ("API keys", await providers),
            ("Storage", postgres + redis), ("Debates", debates), ("Backups", backups), ("Host", await host),
            ("Server", await server),
        ]
        return Self.named(Causes.only(sections))
    }

    // MARK: Parts

    private func stores() async -> (postgres: [Check], redis: [Check], debates: [Check], backups: [Check]) {
        async let postgresResult = postgres()
        async let redisResult = redis()
        let (postgres, redis) = await (postgresResult, redisResult)
        let queue = QueueExamination(
            postgres: postgres, redis: redis.isBroken ? nil : redis.connection, prefix: survey.redisPrefix)
        async let debates = answer(within: Self.queueDeadline, on: context.loop) { await queue.examine() }
        let backup = BackupExamination(survey: survey, context: context)
        async let backups = answer(within: Self.queueDeadline, on: context.loop) { await backup.examine(postgres) }
        let secrets = SecretsExamination(postgres: postgres, context: context)
        async let sealed = answer(within: Self.queueDeadline, on: context.loop) { await secrets.examine() }
        let late = [Check.note("queue", "not checked: no answer in time")]
        let lateSecrets = [Check.note("stored_secrets", "stored secrets: not checked, no answer in time")]
        let stored = await sealed ?? lateSecrets
        let found = (postgres.checks + stored, redis.checks, await debates ?? late, await backups ?? late)
        await postgres.connection?.close()
        await redis.connection?.close()
        return found
    }

    private func postgres() async -> PostgresExamination.Result {
        guard let configuration = survey.postgres else {
            return .init(checks: [.note("postgresql", "PostgreSQL: not configured")])
        }
        let examination = PostgresExamination(configuration, context)
        return await answer(within: Self.partDeadline, on: context.loop) { await examination.examine() }
            ?? .init(checks: [.fault(.postgresUnreachable, "postgresql", "PostgreSQL: no answer in time")])
    }

    private func redis() async -> RedisExamination.Result {
        guard let configuration = survey.redis else {
            return .init(checks: [.note("redis", "Redis: not configured; Postgres is polled instead")])
        }
        let examination = RedisExamination(configuration, context)
        return await answer(within: Self.partDeadline, on: context.loop) { await examination.examine() }
            ?? .init(checks: [.fault(.redisUnreachable, "redis", "Redis: no answer in time")])
    }

    private func providers(_ settings: SettingsExamination) async -> [Check] {
        let examination = ProviderExamination(settings: survey.providers, context: context)
        let answers = await answer(within: Self.partDeadline, on: context.loop) { await examination.examine() }
        let late = Check.fault(.providerUnreachable, "providers", "providers: no answer in time")
        return [settings.providers()] + (answers ?? [late])
    }

    private func certificate() async -> [Check] {
        let examination = CertificateExamination(survey: survey, context: context)
        return await answer(within: Self.partDeadline, on: context.loop) { await examination.examine() }
            ?? [.note("certificate", "certificate: its file does not answer")]
    }

    private func host() async -> [Check] {
        let examination = HostExamination(folders: survey.folders)
        let checks = await answer(within: Self.partDeadline, on: context.loop) {
            (try? await context.blocking.run { examination.examine() }) ?? []
        }
        return checks ?? [.note("disks", "disks: a folder does not answer")]
    }

    private func server() async -> [Check] {
        let examination = ServerExamination(survey: survey, context: context)
        return await answer(within: Self.partDeadline, on: context.loop) { await examination.examine() }
            ?? [.note("api", "API: no answer in time")]
    }

    /// Names tell checks of a section apart.
    static func named(_ sections: [Section]) -> [Section] {
        sections.map { title, checks in
            var used: [String: Int] = [:]
            return (
                title,
                checks.map { check in
                    used[check.name, default: 0] += 1
                    let number = used[check.name, default: 1]
                    guard number > 1 else { return check }
                    return Check(
                        "\(check.name)_\(number)", check.status, check.message, code: check.code, fix: check.fix)
                }
            )
        }
    }
}
