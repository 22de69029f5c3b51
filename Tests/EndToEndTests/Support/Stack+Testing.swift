import FaultSupport
import Testing

extension Stack {
    /// Lends a stack without processes; everything that was noted makes the test fail, with the logs.
    static func with(
        _ name: String, _ plan: Plan = Plan(), sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Stack) async throws -> Void
    ) async throws {
        await StackSlots.shared.take()
        do {
            try await lend(name, plan) { stack in
                do { try await body(stack) } catch { stack.note("\(error)") }
                stack.auditLogs()
            } report: { outcome in
                if !outcome.problems.isEmpty { record(outcome, name, sourceLocation) }
            }
        } catch {
            await StackSlots.shared.give()
            throw error
        }
        await StackSlots.shared.give()
    }

    private static func record(_ outcome: Outcome, _ name: String, _ sourceLocation: SourceLocation) {
        for (file, text) in outcome.logs {
            Attachment.record(text, named: "\(name)-\(file)", sourceLocation: sourceLocation)
        }
        let tails = outcome.logs.map { "--- \($0)\n\(StackFolder.tail(of: $1))" }.joined(separator: "\n")
        Issue.record("\(name):\n\(outcome.problems.joined(separator: "\n"))\n\(tails)", sourceLocation: sourceLocation)
    }
}
