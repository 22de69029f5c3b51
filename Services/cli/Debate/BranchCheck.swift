import Domain
import Ledger
import PostgresClient
import Storage

/// Whether the debate that another one branched off has the history that the branch names.
enum BranchCheck {
    enum Finding: Sendable, Equatable {
        case shared
        /// Gone with its whole log; a branch stands without it.
        case missing
        case broken(String)
    }

    static func of(_ branch: Branch, in pool: PGPool) async throws -> Finding {
        let walk = LogWalk(pool: pool)
        var verifier = ChainVerifier(debateID: branch.parent)
        while verifier.tail.seq < branch.tail.seq {
            let page = try await walk.events(of: branch.parent, from: verifier.tail.seq + 1)
            guard !page.isEmpty else { break }
            for event in page where event.seq <= branch.tail.seq {
                do throws(ChainFault) { try verifier.feed(event) } catch { return .broken("\(error)") }
            }
        }
        if verifier.tail.seq == 0 { return .missing }
        return verifier.tail == branch.tail ? .shared : .broken("it ends in another hash")
    }
}
