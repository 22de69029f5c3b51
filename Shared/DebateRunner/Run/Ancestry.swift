import Domain
import Ledger

/// Reads what a debate takes over from the one that it branched off, and that one from its own parent.
struct Ancestry {
    let log: any EventLog

    /// - Returns: nothing when the parent was erased, or is gone: its branches go on without what it said.
    /// - Throws: ``RunStop`` `.broken` when the parent's log is not the one that event 1 names.
    func inheritance(of branch: Branch, generation: Int = 1) async throws(RunStop) -> Inheritance {
        guard generation <= Branch.maxGenerations else { throw .broken("it branched off too often") }
        let parent = try await read(branch)
        guard parent.tail.seq > 0 else { return Inheritance() }
        guard parent.tail == branch.tail else {
            throw .broken("event \(branch.tail.seq) of \(branch.parent) is not the one it branched off")
        }
        guard !parent.isErased, let earlier = parent.machine.branch else { return parent.bequest(Inheritance()) }
        return parent.bequest(try await inheritance(of: earlier, generation: generation + 1))
    }

    private func read(_ branch: Branch) async throws(RunStop) -> ParentLog {
        var parent = ParentLog(debate: branch.parent)
        while parent.tail.seq < branch.tail.seq {
            let page: [SealedEvent]
            do throws(EventLogError) {
                page = try await log.read(
                    branch.parent, from: parent.tail.seq + 1,
                    limit: Int(min(Int64(DebateRun.readPage), branch.tail.seq - parent.tail.seq)))
            } catch {
                throw RunStop(error)
            }
            guard !page.isEmpty else { break }
            for event in page {
                do throws(ChainFault) { try parent.take(event) } catch {
                    throw .broken("the parent \(branch.parent): \(error)")
                }
            }
        }
        return parent
    }
}
