import Contracts

/// Names of the documents that no executable reads (yet). They are accepted, and explained here rather than found unknown.
enum DocumentedSettings {
    static let table: [(name: String, meaning: String)] = [
        ("ARAGORA_COOKIE_HTTPONLY", "The one cookie is always HttpOnly."),
        ("ARAGORA_COOKIE_SAMESITE", "The one cookie is always Lax: it must come back with the provider's redirect."),
        ("ARAGORA_DB_BACKEND", "Always Postgres."),
        ("ARAGORA_DB_POOL_OVERFLOW", "The pool has one size, `ARAGORA_DB_POOL_SIZE`."),
        ("ARAGORA_DB_POOL_RECYCLE", "Connections are kept until they fail."),
        ("ARAGORA_METRICS_ENABLED", "Metrics are always served, on `ARAGORA_METRICS_PORT`."),
        ("ARAGORA_RATE_LIMIT_BACKEND", "Redis where it is set and reached, else each process by itself."),
        ("ARAGORA_STRICT_DEPLOYMENT", "`ARAGORA_ENV=production` is what makes a start strict."),
        (
            "ARAGORA_USE_SECRETS_MANAGER",
            "Secrets come from the environment or from files (`<NAME>_FILE`); `deploy/systemd/aragora-fetch-secrets` fills files."
        ),
        ("SENTRY_TRACES_SAMPLE_RATE", "Traces go to a collector; `OTEL_TRACES_SAMPLER` says which."),
    ]

    /// One note for each that is set.
    static func notes(_ settings: CLISettings) -> [CommandReports.Check] {
        table.filter { settings.isSet($0.name) }.map { name, meaning in
            .note("unused_\(name)", "\(name) is set, and not read: \(meaning.replacing("`", with: ""))")
        }
    }
}
