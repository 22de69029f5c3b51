import Crypto
import Domain
import Platform
import Providers
import Sockets

/// What every run of a process works with.
struct RunContext: Sendable {
    let loop: EventLoop
    let log: any EventLog
    let store: any RunStore
    let models: @Sendable (ProviderKey) -> any ModelClient
    /// Who stands in for an agent whose provider can not answer; nil when nobody does.
    let fallback: @Sendable (AgentSpec) -> AgentSpec?
    /// The most that an attempt of a call can cost; nil when it is free.
    let worstCost: @Sendable (PlannedCall) -> MicroUSD?
    /// Sign receipts, those in force when one is made; nil leaves them unsigned.
    let receiptKeys: @Sendable () -> KeyRing?
    let publisher: any RunPublisher
    let lease: LeaseClock
    let retry: RetryPolicy
    let logger: Log
    let metrics: Metrics
    var tracer = Tracer.disabled
    /// Milliseconds since 1970.
    let wallClock: @Sendable () -> Int64
    /// The checksum of a receipt that is in the receipt log; nil when none is known.
    var previousReceipt: @Sendable () -> String? = { nil }
}

/// Where a run's committed events and live text go. Never blocks and never fails: Redis is only a helper.
///
/// Called on the runner's loop.
protocol RunPublisher: Sendable {
    /// A claim is held, and the log is this long: what the cache lacks of it is to be published.
    ///
    /// - Parameter events: the log's newest, as many as are at hand.
    func began(_ debate: DebateID, epoch: Int64, tail: LogTail, events: [SealedEvent])
    /// These events are in the log, right behind the ones before.
    func committed(_ debate: DebateID, _ events: [SealedEvent])
    /// Live text of a call: an envelope that is not of the log.
    func live(_ debate: DebateID, epoch: Int64, envelope: [UInt8])
    /// Nothing more comes from this process.
    func ended(_ debate: DebateID)
}
