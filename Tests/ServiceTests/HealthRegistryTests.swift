import Platform
import Sockets
import Testing

@testable import ServiceKit

@Suite("What a process depends on", .timeLimit(.minutes(1)))
struct HealthRegistryTests {
    /// A check that counts how often it is asked, and answers when it is let.
    private actor Store {
        private(set) var asked = 0
        private var isOpen = false
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private var observers: [CheckedContinuation<Void, Never>] = []

        func probe() async -> String {
            asked += 1
            for observer in observers { observer.resume() }
            observers = []
            if !isOpen { await withCheckedContinuation { waiting.append($0) } }
            return "here"
        }

        func untilAsked() async { if asked == 0 { await withCheckedContinuation { observers.append($0) } } }

        func open() {
            isOpen = true
            for one in waiting { one.resume() }
            waiting = []
        }
    }

    @Test("is asked once for all who want to know at the same time, and again for who comes later")
    func shared() async throws {
        let loop = try EventLoop(name: "health-test")
        defer { loop.stop() }
        let shutdown = ShutdownSignal()
        let registry = HealthRegistry(shutdown: shutdown, loop: loop, metrics: Metrics())
        let store = Store()
        registry.add(HealthRegistry.Check("store", .required) { await store.probe() })
        registry.markStarted()
        // Each has asked, and waits, when its line here is done.
        let askers = (1...3).map { _ in Task.immediate { await registry.report() } }
        await store.untilAsked()
        await store.open()
        for asker in askers {
            let report = await asker.value
            #expect(report.isReady && report.findings.map(\.name) == ["store"])
        }
        #expect(await store.asked == 1)
        #expect(await registry.report().isReady)
        #expect(await store.asked == 2)
        shutdown.advance(to: .draining)
        #expect(await registry.report().reasons == ["draining"])
    }
}
