import Domain
import Ledger
import Platform

/// The beginning of every claim: read, check, settle what an earlier holder left open.
extension DebateRun {
    func recover() async throws(RunStop) {
        let events = try await readLog()
        let snapshot = try await begin()
        KillPoint.reach(.afterClaimSettled)
        if let branch = machine.branch, !machine.isOver {
            replay.inherit(try await Ancestry(log: context.log).inheritance(of: branch))
        }
        consumedCommands = snapshot.commandsConsumed
        commands = snapshot.commands
        history = CallHistory(snapshot.calls)
        timeoutAt = context.lease.reading().advanced(by: snapshot.timeLeft)
        KillPoint.reach(.beforeFirstPublish)
        context.publisher.began(claim.debate, epoch: claim.epoch, tail: tail, events: events + snapshot.appended)
        armTimeout()
    }

    /// Feeds the whole log to the machine. Nobody else appends: the claim raised the epoch.
    /// - Returns: the newest page.
    private func readLog() async throws(RunStop) -> [SealedEvent] {
        while true {
            let page: [SealedEvent]
            do throws(EventLogError) {
                page = try await context.log.read(claim.debate, from: tail.seq + 1, limit: Self.readPage)
            } catch {
                throw RunStop(error)
            }
            for sealed in page { try replay.take(sealed) }
            guard page.count == Self.readPage else { return page }
        }
    }

    private struct Beginning {
        let commandsConsumed: Int64
        let commands: [DebateCommand]
        let calls: [CallRecord]
        let appended: [SealedEvent]
        let timeLeft: Duration
    }

    /// The claim's first transaction.
    private func begin() async throws(RunStop) -> Beginning {
        // Nobody held it before, so nobody has left anything open; what is commanded meanwhile, the next renewal says.
        if claim.epoch == 1, let timeLeft = claim.timeLeft {
            return Beginning(commandsConsumed: 0, commands: [], calls: [], appended: [], timeLeft: timeLeft)
        }
        let (debate, epoch, tail, at) = (claim.debate, claim.epoch, self.tail, nextTime)
        let sealed = Lock<[SealedEvent]>([])
        let snapshot: RunSnapshot
        do throws(RunStoreError) {
            snapshot = try await context.store.begin(claim) { snapshot in
                var chain = EventChain(debateID: debate, tail: tail)
                // Without randomness nothing is appended, and the next claim names what was abandoned.
                let events = (try? chain.seal(snapshot.abandoned.map(\.abandonment), at: at, epoch: epoch)) ?? []
                sealed.withLock { $0 = events }
                return events
            }
        } catch {
            throw RunStop(error)
        }
        guard snapshot.tail == tail else {
            throw .broken("the log ends at \(tail.seq), its row says \(snapshot.tail.seq)")
        }
        let appended = sealed.withLock { $0 }
        for event in appended { try replay.take(event) }
        return Beginning(
            commandsConsumed: snapshot.consumedCommands, commands: snapshot.commands, calls: snapshot.calls,
            appended: appended, timeLeft: snapshot.timeLeft)
    }

    /// The holder ends an overdue debate itself; the watchdog is for holders that do not.
    private func armTimeout() {
        guard let left = millisecondsToTimeout else { return }
        timeoutTimer = signal(after: .milliseconds(max(0, left)))
    }

    /// Negative when the debate's own time is over; nil when that is in the log already.
    var millisecondsToTimeout: Int64? {
        guard let timeoutAt, !machine.hasTimedOut else { return nil }
        return timeoutAt.since(context.lease.reading()).milliseconds
    }

    /// The time of an event that is made now.
    var nextTime: Timestamp { replay.nextTime(now: context.wallClock()) }
}
