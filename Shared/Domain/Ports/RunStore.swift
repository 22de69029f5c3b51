/// A debate that this runner holds, under an epoch.
package struct Claim: Sendable, Hashable {
    package let debate: DebateID
    package let epoch: Int64
    package let kind: Kind
    package let engineVersion: EngineVersion
    package let createdAt: Timestamp
    /// Until the debate's own time is over, by Postgres's clock when it was claimed; nil when that was not asked.
    package let timeLeft: Duration?
    /// The trace of the request that asked for the debate, as W3C Trace Context writes it.
    package let traceparent: String?

    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// It was queued (new, or resumed after a pause or a graceful release).
        case queued
        /// Its runner is dead.
        case adopted
        /// It is ours already, but the answer to our claim was lost.
        case reconciled
    }

    package init(
        debate: DebateID, epoch: Int64, kind: Kind, engineVersion: EngineVersion, createdAt: Timestamp,
        timeLeft: Duration? = nil, traceparent: String? = nil
    ) {
        self.debate = debate
        self.epoch = epoch
        self.kind = kind
        self.engineVersion = engineVersion
        self.createdAt = createdAt
        self.timeLeft = timeLeft
        self.traceparent = traceparent
    }
}

/// A debate and the epoch under which a runner holds it.
package struct Holding: Sendable, Hashable {
    package let debate: DebateID
    package let epoch: Int64
    package init(debate: DebateID, epoch: Int64) {
        self.debate = debate
        self.epoch = epoch
    }
}

/// The state of one attempt of one call; moves only forward.
package enum CallState: String, Sendable, Hashable, CaseIterable {
    case intent, answered, failed, refused, unknown
}

/// One row of the calls' ledger.
package struct CallRecord: Sendable, Hashable {
    package let reference: CallReference
    package let agent: String
    package let epoch: Int64
    package let state: CallState
    /// Present when `state` is `answered`.
    package let answer: Answer?
    /// Present when `state` is `failed` or `refused`.
    package let failure: CallFailure.Kind?

    package init(
        reference: CallReference, agent: String, epoch: Int64, state: CallState, answer: Answer?,
        failure: CallFailure.Kind?
    ) {
        self.reference = reference
        self.agent = agent
        self.epoch = epoch
        self.state = state
        self.answer = answer
        self.failure = failure
    }
}

/// A call that is about to be sent.
package struct CallIntent: Sendable, Hashable {
    package let key: CallKey
    package let agent: String
    package let provider: ProviderKey
    package let model: String
    package let round: Int
    /// Nil for a model that is free.
    package let reservation: Reservation?
    package init(
        key: CallKey, agent: String, provider: ProviderKey, model: String, round: Int, reservation: Reservation? = nil
    ) {
        self.key = key
        self.agent = agent
        self.provider = provider
        self.model = model
        self.round = round
        self.reservation = reservation
    }
}

/// What became of the intents that were asked for.
package struct IntentResult: Sendable, Hashable {
    /// Attempts that may be sent now, each exactly once.
    package let granted: [CallReference]
    /// Keys that were answered already; the lowest answered attempt is the content.
    package let answered: [CallRecord]
    /// Keys whose attempts are used up.
    package let exhausted: [CallKey]
    /// Who could not pay; nothing new was written then.
    package let refusal: BudgetRefusal?
    /// Every alert that calls of this debate have raised.
    package let alerts: [BudgetAlert]
    package init(
        granted: [CallReference], answered: [CallRecord], exhausted: [CallKey], refusal: BudgetRefusal? = nil,
        alerts: [BudgetAlert] = []
    ) {
        self.granted = granted
        self.answered = answered
        self.exhausted = exhausted
        self.refusal = refusal
        self.alerts = alerts
    }
}

/// How one attempt ended: a fact about money, stored whoever holds the debate by then.
package struct CallSettlement: Sendable, Hashable {
    package let debate: DebateID
    package let reference: CallReference
    package let outcome: CallOutcome
    /// Milliseconds from sending to the end.
    package let latencyMilliseconds: Int64
    /// Nothing was reserved for the call, and it cost nothing. Only a hint: money that is there moves all the same.
    package let isFree: Bool
    package init(
        debate: DebateID, reference: CallReference, outcome: CallOutcome, latencyMilliseconds: Int64,
        isFree: Bool = false
    ) {
        self.debate = debate
        self.reference = reference
        self.outcome = outcome
        self.latencyMilliseconds = latencyMilliseconds
        self.isFree = isFree
    }
}

/// What a person asked of a running debate; numbered per debate under the run's lock.
package struct DebateCommand: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case pause, resume
        case remark(Remark)
    }
    package let number: Int64
    package let kind: Kind
    package let author: String
    package init(number: Int64, kind: Kind, author: String) {
        self.number = number
        self.kind = kind
        self.author = author
    }
}

/// Everything a claim needs to go on.
package struct RunSnapshot: Sendable {
    package let tail: LogTail
    package let consumedCommands: Int64
    package let commands: [DebateCommand]
    /// Every attempt, after those of older epochs became `unknown`.
    package let calls: [CallRecord]
    /// Unknown attempts that no `call_abandoned` event names yet.
    package let abandoned: [CallRecord]
    /// Until the debate's own time is over, by Postgres's clock: that of a process may be wrong. Negative when it is.
    package let timeLeft: Duration
    package init(
        tail: LogTail, consumedCommands: Int64, commands: [DebateCommand], calls: [CallRecord],
        abandoned: [CallRecord], timeLeft: Duration
    ) {
        self.tail = tail
        self.consumedCommands = consumedCommands
        self.commands = commands
        self.calls = calls
        self.abandoned = abandoned
        self.timeLeft = timeLeft
    }
}

/// Whether a debate was let go.
package enum ReleaseResult: Sendable, Hashable {
    case released
    /// Commands arrived meanwhile; they must be turned into events first.
    case commandsWaiting([DebateCommand])
    /// Somebody else holds it, or it has ended.
    case notOurs
}

/// Who holds which debate, and what was asked of models on its behalf (design §2.1, §2.2).
///
/// Every method is one transaction. Only Postgres's clock counts. All throw ``RunStoreError``.
package protocol RunStore: Sendable {
    /// Claims up to `limit` queued debates: priority, then the organization with fewest running, then age.
    func claim(runner: RunnerID, limit: Int) async throws(RunStoreError) -> [Claim]

    /// Claims this one if it is queued; the doorbell names it.
    func claim(_ debate: DebateID, runner: RunnerID) async throws(RunStoreError) -> Claim?

    /// Takes over debates whose runner is dead, up to `limit`: expired, without a row, or named in `dead` (runners whose
    /// presence lock was missing in two consecutive sweeps).
    func adopt(runner: RunnerID, dead: [RunnerID], limit: Int) async throws(RunStoreError) -> [Claim]

    /// Takes a debate of ours again under a new epoch, after the answer to our claim was lost.
    func reconcile(_ holding: Holding, runner: RunnerID) async throws(RunStoreError) -> Claim?

    /// The first transaction of every claim: intents of older epochs become `unknown`, and `seal` turns what the
    /// snapshot lists as abandoned into events, appended in the same transaction. Fenced.
    /// - Returns: the snapshot as of before the appended events.
    func begin(
        _ claim: Claim, seal: @Sendable (RunSnapshot) -> [SealedEvent]
    ) async throws(RunStoreError) -> RunSnapshot

    /// Writes intents, fenced; for a key that is answered it writes nothing. No request may leave before this returns.
    ///
    /// Those that cost something reserve it in the same statement, all or none: of the debate's own limit and of every
    /// budget of its organization.
    func recordIntents(_ holding: Holding, _ intents: [CallIntent]) async throws(RunStoreError) -> IntentResult

    /// Stores outcomes, unfenced, by compare-and-set.
    func settle(_ settlements: [CallSettlement]) async throws(RunStoreError)

    /// Commands after `number`, oldest first.
    func commands(_ debate: DebateID, after number: Int64) async throws(RunStoreError) -> [DebateCommand]

    /// Lets go: back to `queued`, or `paused`. Does nothing while an unconsumed command waits.
    func release(_ holding: Holding, runner: RunnerID, to status: DebateStatus) async throws(RunStoreError)
        -> ReleaseResult
}

/// Why a run operation did not happen.
package enum RunStoreError: Error, Sendable {
    /// The fence refused: the epoch moved on.
    case lost(currentEpoch: Int64)
    case terminal(DebateStatus)
    /// This runner has no live row: stop everything and register anew.
    case runnerExpired
    case broken(String)
    case unavailable(String)
}

extension DebateCommand {
    /// What the log says of it.
    package var event: DebateEvent { Self.event(kind, by: author) }

    package static func event(_ kind: Kind, by author: String) -> DebateEvent {
        switch kind {
        case .pause: .debatePaused(by: author)
        case .resume: .debateResumed(by: author)
        case .remark(let remark): .userMessage(author: author, remark)
        }
    }
}

extension CallRecord {
    /// What the log says when its runner lost the debate while it was in flight.
    package var abandonment: DebateEvent {
        .callAbandoned(reference, agent: agent, round: reference.key.round)
    }
}
