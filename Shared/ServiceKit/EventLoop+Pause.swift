package import Platform
package import Sockets

extension EventLoop {
    /// Returns after `duration`, or as soon as the process begins to drain.
    package func pause(for duration: Duration, until shutdown: ShutdownSignal) async {
        await withTaskGroup(of: Void.self) { group in
            // Ends early when cancelled.
            group.addTask(executorPreference: self) { try? await self.sleep(for: duration) }
            group.addTask(executorPreference: self) { await shutdown.waitOrCancel(for: .draining) }
            await group.next()
            group.cancelAll()
        }
    }
}
