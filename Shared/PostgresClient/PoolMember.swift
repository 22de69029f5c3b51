/// One connection as its pool sees it. Touched on the loop's thread only, like the session it holds.
final class PoolMember: @unchecked Sendable {
    let session: PGSession
    /// A transaction has it.
    var isLeased = false { didSet { wasUsed = wasUsed || isLeased } }
    /// Somebody waits to lease it; it takes no new statements.
    var isReserved = false

    /// Somebody has used it since the last look.
    private var wasUsed = true
    /// Looks in a row that found it unused.
    private var unusedLooks = 0

    init(session: PGSession) { self.session = session }

    func submit(_ operation: PGOperation) {
        wasUsed = true
        session.submit(operation)
    }

    /// - Returns: whether it was unused at so many looks in a row, and is now.
    fileprivate func look(atMost looks: Int) -> Bool {
        unusedLooks = isBusy || wasUsed ? 0 : unusedLooks + 1
        wasUsed = false
        return unusedLooks >= looks && !isReserved && session.inFlight.isEmpty
    }

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

    /// Looks who has been used, once each time, and takes away the last of those that were not for so many looks. One that is
    /// ready always stays. The first in order are used first, so the last are those that only a rush needed.
    mutating func takeUnused(looks: Int) -> PoolMember? {
        let unused = filter { $0.look(atMost: looks) }
        guard count(where: \.session.isReady) > 1, let last = unused.last else { return nil }
        removeAll { $0 === last }
        return last
    }
}
