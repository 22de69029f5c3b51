import Domain
import FaultSupport

/// How long debates were without a holder, from what the witness saw and what was done when. Nothing here fails a run:
/// times are benchmarks. They tell what was disturbed by another fault from what was not.
struct TakeoverTimes: Sendable {
    /// Milliseconds of one kind.
    struct Series: Sendable {
        var undisturbed: [Double] = []
        var disturbed: [Double] = []

        /// The longest of all, and what it was.
        private(set) var worst: (milliseconds: Double, what: String)?

        mutating func take(_ milliseconds: Double, isDisturbed: Bool, _ what: @autoclosure () -> String) {
            if worst.map({ $0.milliseconds < milliseconds }) ?? true { worst = (milliseconds, what()) }
            if isDisturbed { disturbed.append(milliseconds) } else { undisturbed.append(milliseconds) }
        }
    }

    /// What a survivor needs before it adopts: its start, and two seconds of clean sweeps (design §2.2).
    private static let settling: Int64 = 3_500_000
    /// A freeze shorter than this ends before the lease does.
    private static let lease: Int64 = 5_000_000

    /// What keeps a worker from adopting: it needs Postgres, and two seconds; not Redis, and not the time of day.
    private static let hurts: Set<ChaosFault.Kind> = [
        .kill, .freeze, .drain, .hurry, .cutPostgres, .loseAnswers, .partitionPostgres,
    ]

    private(set) var killed = Series()
    private(set) var frozen = Series()
    /// Frozen for longer than a lease, and nobody took the debate meanwhile: its owner went on with it.
    private(set) var kept = 0
    /// From the release of a drained worker's debate to the next claim.
    private(set) var drained = Series()
    private let blows: [ChaosStage.Blow]
    private let deaths: [ChaosStage.Death]

    init(blows: [ChaosStage.Blow], deaths: [ChaosStage.Death], claims: [StackWitness.Claim]) {
        self.blows = blows
        self.deaths = deaths
        let histories = Dictionary(grouping: claims, by: \.debate)
        for blow in blows {
            guard case .worker = blow.fault.member else { continue }
            for history in histories.values { measure(blow, history) }
        }
    }

    private mutating func measure(_ blow: ChaosStage.Blow, _ history: [StackWitness.Claim]) {
        switch blow.fault.kind {
        case .kill:
            if let (time, end) = taken(from: blow, history) {
                killed.take(time, isDisturbed: isDisturbed(blow, end), Self.name(blow, history))
            }
        case .freeze, .partitionPostgres:
            // One that nobody took before it was over went on with its owner, whatever came later.
            guard blow.ended - blow.began > Self.lease, let (time, end) = taken(from: blow, history), end <= blow.ended
            else { return keep(blow, history) }
            frozen.take(time, isDisturbed: isDisturbed(blow, end), Self.name(blow, history))
        case .drain:
            let name = blow.fault.member.map { "\($0)" } ?? ""
            for (place, claim) in history.enumerated()
            where claim.owner == nil && claim.writer == name && !claim.status.isTerminal && claim.status != .paused
                && (blow.began...blow.ended).contains(claim.at)
            {
                guard let next = history[(place + 1)...].first, next.owner != nil else { continue }
                drained.take(
                    Double(next.at - claim.at) / 1000, isDisturbed: isDisturbed(blow, next.at), Self.name(blow, history)
                )
            }
        default: break
        }
    }

    private mutating func keep(_ blow: ChaosStage.Blow, _ history: [StackWitness.Claim]) {
        guard blow.ended - blow.began > Self.lease, taken(from: blow, history) != nil else { return }
        kept += 1
    }

    private static func name(_ blow: ChaosStage.Blow, _ history: [StackWitness.Claim]) -> String {
        "\(history[0].debate) after fault \(blow.fault)"
    }

    /// - Returns: nil unless the process held the debate, and another one took it.
    private func taken(from blow: ChaosStage.Blow, _ history: [StackWitness.Claim]) -> (Double, Int64)? {
        let name = blow.fault.member.map { "\($0)" } ?? ""
        guard let holder = history.last(where: { $0.at <= blow.began }), holder.owner != nil, holder.writer == name,
            let next = history.first(where: { $0.at > blow.began }), next.owner != nil, next.owner != holder.owner
        else { return nil }
        return (Double(next.at - blow.began) / 1000, next.at)
    }

    /// Whether a store was hurt, or every other worker was, or was new, between some time before and the takeover.
    private func isDisturbed(_ blow: ChaosStage.Blow, _ end: Int64) -> Bool {
        let from = blow.began - Self.settling
        let others = blows.filter { $0.fault.number != blow.fault.number && $0.began < end && $0.ended > from }
        if others.contains(where: { $0.fault.kind.target == .postgres }) { return true }
        // What had been done to this worker before may have cost it the debate already.
        if others.contains(where: { $0.fault.member == blow.fault.member && Self.hurts.contains($0.fault.kind) }) {
            return true
        }
        return !ChaosPlan.workers.map(Stack.Member.worker).contains { worker in
            worker != blow.fault.member
                && !others.contains { $0.fault.member == worker && Self.hurts.contains($0.fault.kind) }
                && !deaths.contains { $0.member == worker && (from...end).contains($0.at) }
        }
    }

    /// Cancels that met no hurt api and no hurt Postgres.
    static func cancels(_ cancels: [ClientCrowd.Cancel], blows: [ChaosStage.Blow]) -> Series {
        var series = Series()
        for cancel in cancels {
            let isDisturbed =
                cancel.tries > 1
                || blows.contains { blow in
                    guard blow.began < cancel.ended, blow.ended > cancel.began - 1_000_000 else { return false }
                    if blow.fault.kind.target == .postgres { return true }
                    if case .api = blow.fault.member { return true }
                    return false
                }
            series.take(
                Double(cancel.ended - cancel.began) / 1000, isDisturbed: isDisturbed,
                "\(cancel.debate), \(cancel.tries) tries")
        }
        return series
    }
}

extension [Double] {
    /// The smallest value that this many percent do not exceed; nil when there is none.
    func percentile(_ percent: Double) -> Double? {
        guard !isEmpty else { return nil }
        let place = Int((percent / 100 * Double(count)).rounded(.up)) - 1
        return sorted()[Swift.min(Swift.max(place, 0), count - 1)]
    }
}
