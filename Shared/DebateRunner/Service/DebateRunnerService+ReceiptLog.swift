import Platform
import Sockets

/// The receipt log's part: every runner offers itself as its sequencer, one is elected.
extension DebateRunnerService {
    /// Steps until this runner retires. The receipts of debates that end in a drain are still put into the log.
    func keepReceiptLog() async {
        var office = ReceiptSequencer.Office()
        while !Task.isCancelled, !isRetiring {
            let wait = await sequencer.step(&office)
            receiptOffice = office
            if office.isElected { await retention.sweepIfDue() }
            // Ends early when the service ends.
            try? await dependencies.loop.sleep(for: wait)
        }
    }

    /// Lets the next sequencer begin at once.
    func leaveReceiptLog() async { await sequencer.resign(receiptOffice) }
}
