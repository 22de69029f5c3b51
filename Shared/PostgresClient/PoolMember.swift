/// One connection as its pool sees it. Touched on the loop's thread only, like the session it holds.
final class PoolMember: @unchecked Sendable {
    let session: PGSession
    /// A transaction has it.
    var isLeased = false
    /// Somebody waits to lease it; it takes no new statements.
    var isReserved = false

    init(session: PGSession) { self.session = session }

    /// Somebody waits for an answer, or holds it.
    var isBusy: Bool { isLeased || !session.inFlight.allSatisfy(\.isFinished) }
    fileprivate var isShared: Bool { session.isReady && !isLeased }
}

extension [PoolMember] {
    /// The shared connection with the fewest statements under way, if that is less than `limit`.
    /// - Parameter mayBeReserved: for who has waited longer than those it is reserved for.
    func leastBusy(below limit: Int, mayBeReserved: Bool = false) -> PoolMember? {
        var best: (member: PoolMember, load: Int)?
        for member in self where member.isShared && (mayBeReserved || !member.isReserved) {
            let load = member.session.inFlight.count
            if load == 0 { return member }
            if load < best?.load ?? limit { best = (member, load) }
        }
        return best?.member
    }

    /// A connection with nothing under way.
    func idle() -> PoolMember? { first { $0.isShared && $0.session.inFlight.isEmpty } }

    /// Keeps new statements off as many connections as leases wait, those first that will be idle soonest.
    func reserve(_ leases: Int) {
        var missing = leases - count(where: \.isReserved)
        while missing > 0,
            let member = filter({ $0.isShared && !$0.isReserved })
                .min(by: { $0.session.inFlight.count < $1.session.inFlight.count })
        {
            member.isReserved = true
            missing -= 1
        }
    }
}
