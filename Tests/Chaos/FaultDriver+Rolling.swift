import FaultSupport
import Platform
import Sockets

/// Rolling restarts.
extension FaultDriver {
    /// One process after another, each when the one before it has a successor that is ready and listed.
    func roll(since start: BootInstant) async {
        for fault in plan.faults {
            guard let member = fault.member else { continue }
            let due = start.advanced(by: .milliseconds(fault.at))
            while BootInstant.now() < due, !stage.isOver, !fault.interruptsBackup { await pause(Self.look) }
            guard !stage.isOver else { return }
            do {
                // The one before it has just begun to make its first backup.
                if fault.interruptsBackup { try await backupIsUnderWay() }
                stage.begin(fault)
                defer { stage.end(fault) }
                try await perform(fault)
                guard member != .backup || fault.interruptsBackup else { continue }
                try await stack.ready(member)
                guard let endpoints = stage.endpoints, member.isBehindBalancer else { continue }
                try await stack.eventually("\(member) is listed") { endpoints.lists(member) }
            } catch {
                stage.note("\(fault): \(error)")
            }
        }
        while !stage.clientsAreDone, !stage.isOver {
            await superviseAll()
            await pause(Self.look)
        }
    }

    private func backupIsUnderWay() async throws {
        // One that is put off, because another session had the lock, comes a minute later.
        try await stack.eventually("a backup is under way", within: Self.patience + .seconds(30)) {
            StackFolder.files(in: stage.backups).contains { $0.hasSuffix(".partial") }
        }
    }
}

extension Stack.Member {
    /// Whether clients come to it.
    fileprivate var isBehindBalancer: Bool {
        switch self {
        case .api, .gateway: true
        case .worker, .backup: false
        }
    }
}
