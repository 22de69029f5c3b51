/// Something that runs as long as its process: a server, a loop, a publisher. Owned by a ``ServiceGroup``.
package protocol Service: Sendable {
    /// For logs and `/health/threads`.
    var name: String { get }

    /// Runs until `shutdown` drains, then finishes what it holds and returns. When the task is cancelled, or `shutdown`
    /// reaches `.cancelled`, it returns at once. Returning earlier, or throwing, ends the whole process.
    func run(until shutdown: ShutdownSignal) async throws
}

/// Runs services together: when one ends on its own, the others are drained and the group ends with its error.
package struct ServiceGroup: Sendable {
    private let services: [any Service]
    private let log: Log

    package init(_ services: [any Service], log: Log) {
        self.services = services
        self.log = log
    }

    /// Why a service's end ended the group.
    package struct EndedEarly: Error, CustomStringConvertible {
        package let service: String
        package var description: String { "\(service) ended although nothing asked it to" }
    }

    /// Returns when every service has ended after a shutdown.
    /// - Throws: the first error of a service, ``EndedEarly`` when one just returned.
    package func run(until shutdown: ShutdownSignal) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services {
                group.addTask {
                    try await service.run(until: shutdown)
                    guard shutdown.phase != .running else { throw EndedEarly(service: service.name) }
                }
            }
            var failure: (any Error)?
            while true {
                do {
                    guard try await group.next() != nil else { break }
                } catch {
                    // What fails while it drains changes nothing any more, but is not kept silent.
                    log.error("service failed", .error(error))
                    if failure == nil && shutdown.phase == .running { failure = error }
                    shutdown.advance(to: .draining)
                }
            }
            if let failure { throw failure }
        }
    }
}
