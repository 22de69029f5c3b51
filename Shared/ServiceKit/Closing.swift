package import Platform

/// A service that closes what it was given once it has ended.
package struct Closing: Service {
    private let inner: any Service
    private let close: @Sendable () async -> Void

    package init(_ inner: any Service, then close: @escaping @Sendable () async -> Void) {
        self.inner = inner
        self.close = close
    }

    package var name: String { inner.name }

    package func run(until shutdown: ShutdownSignal) async throws {
        do {
            try await inner.run(until: shutdown)
        } catch {
            await close()
            throw error
        }
        await close()
    }
}
