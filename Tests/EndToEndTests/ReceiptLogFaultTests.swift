import Contracts
import Crypto
import Domain
import FaultSupport
import Glibc
import Ledger
import Platform
import Storage
import TestSupport
import Testing

extension KillPointTests {
    /// The sequencer dies or freezes around an append or a head; another worker's goes on.
    @Suite("of the receipt log's sequencer")
    struct Sequencers {
        /// The first head is the empty log's, of a worker that is not ready yet.
        static let points: [(KillPoint, Int)] = [
            (.beforeLogAppend, 1), (.beforeLogAppend, 2), (.afterLogAppend, 1), (.afterLogHead, 2),
        ]

        @Test(
            "every receipt is in the log once, under contiguous numbers, and a signed head",
            arguments: Fault.all(points))
        func sequencer(_ fault: Fault) async throws {
            try await Stack.with("sequencer-\(fault.kind)-\(fault.point.rawValue)-\(fault.nth)") { stack in
                try await stack.start(.api(1), .gateway(1))
                try await stack.start([.worker(1)], with: fault.environment)
                // The second debate's receipt is a batch of its own.
                let first = try await stack.create()
                if fault.nth > 1, fault.point != .afterLogHead { _ = try await stack.awaitEnd(first) }
                let second = try await stack.create()
                try await stack.awaitFault(.worker(1), fault)
                try await stack.start(.worker(2))
                _ = try await stack.awaitEnd(first)
                _ = try await stack.awaitEnd(second)
                try await stack.awaitLogged(2)
                if fault.kind == .frozen { try stack.process(.worker(1)).send(SIGCONT) }
                let third = try await stack.create()
                _ = try await stack.awaitEnd(third)
                try await stack.awaitLogged(3)
                try await stack.auditReceiptLog(leaves: 3)
            }
        }
    }
}
