import Glibc
package import Testing

/// The real stores a test run was given (`make test` sets them; see CONTRIBUTING.md).
package enum Backends {
    /// The Postgres for tests; nil when there is none.
    package static var postgresURL: String? { variable("TEST_DATABASE_URL") }
    /// The Redis for tests; nil when there is none.
    package static var redisURL: String? { variable("TEST_REDIS_URL") }
    /// A missing store makes tests fail, not skip.
    package static var isRequired: Bool { variable("REQUIRE_INTEGRATION") == "1" }

    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// Whether stores of several servers are to be hurt, for which a machine must have time: scripts/check-stores.sh asks.
    package static var isFailoverAsked: Bool { variable("ARAGORA_FAILOVER_TESTS") == "1" }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips without Postgres, unless the run requires its stores; then the test itself fails.
    package static var needsPostgres: Self {
        .enabled(if: Backends.postgresURL != nil || Backends.isRequired, "TEST_DATABASE_URL is not set")
    }

    /// Skips without Redis, unless the run requires its stores; then the test itself fails.
    package static var needsRedis: Self {
        .enabled(if: Backends.redisURL != nil || Backends.isRequired, "TEST_REDIS_URL is not set")
    }

    /// For tests in which servers elect each other within seconds: they run by themselves, each night.
    package static var failover: Self {
        .enabled(if: Backends.isFailoverAsked, "run by scripts/check-stores.sh failover")
    }
}
