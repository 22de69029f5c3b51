package import Platform

/// How a process runs debates: by which names operators set it, and within which bounds.
package struct RunnerSettings: Sendable {
    /// What a runner's row says it is.
    package enum Kind: String, Sendable { case worker, embedded }

    package let kind: Kind
    /// Debates at once.
    package let concurrency: Int
    /// How long a lease lives after its last renewal, by Postgres's clock.
    package let lease: Duration
    /// Adoptions without progress after which a debate is given up.
    package let maxAdoptions: Int
    /// How long a drain waits for calls in flight.
    package let drain: Duration

    /// Between two renewals of the lease.
    package static let renewal: Duration = .seconds(1)
    /// Between two sweeps, before jitter.
    package static let sweep: Duration = .milliseconds(500)
    /// Without an event or a change of a call for this long, a debate has failed.
    package static let noProgress: Duration = .seconds(600)
    /// How long sweeps must have gone well on this connection before others' debates are adopted: owners go first.
    package static let cleanBeforeAdoption: Duration = .seconds(2)
    /// Debates claimed or adopted in one transaction.
    package static let claimBatch = 16
    /// Batches that one sweep adopts at most.
    package static let adoptionBatches = 8
    /// Between two of them, before jitter.
    package static let adoptionPause: Duration = .milliseconds(40)

    package init(
        kind: Kind, concurrency: Int, lease: Duration = .seconds(4), maxAdoptions: Int = 5,
        drain: Duration = .seconds(25)
    ) {
        self.kind = kind
        self.concurrency = concurrency
        self.lease = lease
        self.maxAdoptions = maxAdoptions
        self.drain = drain
    }

    /// Reads the settings of `aragora-debate-worker`.
    package init(worker reader: inout SettingsReader) {
        self.init(
            kind: .worker,
            concurrency: reader.int("WORKER_CONCURRENCY", default: 3, in: 1...1000, help: "Debates at once."),
            reading: &reader)
    }

    /// Reads the settings of the runner inside `aragora-api`.
    package init(embedded reader: inout SettingsReader) {
        self.init(
            kind: .embedded,
            concurrency: reader.int(
                "ARAGORA_MAX_CONCURRENT_DEBATES", default: 10, in: 1...1000,
                help: "Debates at once in the embedded runner."),
            reading: &reader)
    }

    private init(kind: Kind, concurrency: Int, reading reader: inout SettingsReader) {
        self.init(
            kind: kind, concurrency: concurrency,
            lease: reader.seconds(
                "WORKER_LEASE_SECONDS", default: 4, in: 3...60,
                help: "How long a runner may be silent before others adopt its debates; renewed every second."),
            maxAdoptions: reader.int(
                "WORKER_MAX_ATTEMPTS", default: 5, in: 1...100,
                help: "Adoptions without progress after which a debate fails and its job goes to the dead stream."),
            drain: reader.seconds(
                "WORKER_DRAIN_SECONDS", default: 25, in: 0...3600,
                help: "How long a stop waits for model calls in flight before it cancels them."))
    }
}
