package import Crypto
package import Domain
package import Platform
package import PostgresClient
import Providers
package import Sockets

/// What an assembly gives to a runner.
package struct RunnerDependencies: Sendable {
    /// The loop that pool and Redis connection are on too; in the API one of its own.
    package let loop: EventLoop
    package let pool: PGPool
    /// For the connection that renews the lease and holds the presence lock.
    package let sessions: PGConfiguration
    /// False behind a transaction pooler: only the lease counts.
    package let usesPresence: Bool
    /// Nil when no Redis is configured.
    package let redis: RunnerRedis?
    package let models: @Sendable (ProviderKey) -> any ModelClient
    /// Who stands in for an agent whose provider can not answer; nil when nobody does.
    package let fallback: @Sendable (AgentSpec) -> AgentSpec?
    /// The most that an attempt of a call can cost; nil when it is free.
    package let worstCost: @Sendable (PlannedCall) -> MicroUSD?
    /// Sign receipts, those in force when one is made; nil leaves them unsigned.
    package let receiptKeys: @Sendable () -> KeyRing?
    /// How long receipts are kept.
    package let receiptRetentionDays: @Sendable () -> Int
    /// For the matches of debates that end here.
    package let ratings: RatingRules
    package let log: Log
    package let metrics: Metrics
    package let tracer: Tracer

    package init(
        loop: EventLoop, pool: PGPool, sessions: PGConfiguration, usesPresence: Bool = true, redis: RunnerRedis?,
        models: @escaping @Sendable (ProviderKey) -> any ModelClient,
        fallback: @escaping @Sendable (AgentSpec) -> AgentSpec? = { _ in nil },
        worstCost: @escaping @Sendable (PlannedCall) -> MicroUSD? = { PriceBook.reservation(of: $0) },
        receiptKeys: @escaping @Sendable () -> KeyRing?,
        receiptRetentionDays: @escaping @Sendable () -> Int = { 36_500 },
        ratings: RatingRules = .standard, log: Log, metrics: Metrics,
        tracer: Tracer = .disabled
    ) {
        self.loop = loop
        self.pool = pool
        self.sessions = sessions
        self.usesPresence = usesPresence
        self.redis = redis
        self.models = models
        self.fallback = fallback
        self.worstCost = worstCost
        self.receiptKeys = receiptKeys
        self.receiptRetentionDays = receiptRetentionDays
        self.ratings = ratings
        self.log = log
        self.metrics = metrics
        self.tracer = tracer
    }
}
