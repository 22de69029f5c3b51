package import Platform
package import Sockets

/// What the host gives to a service's assembly.
package struct ServiceContext: Sendable {
    /// "api", "ws-gateway", …
    package let name: String
    package let log: Log
    package let metrics: Metrics
    /// At least one; the first also runs what is not bound to a connection.
    package let loops: [EventLoop]
    package let shutdown: ShutdownSignal
    package let health: HealthRegistry
    package let build: BuildInfo
    package let startedAtMilliseconds: Int64
    package let common: CommonSettings
    /// Off unless traces are sent.
    package var tracer = Tracer.disabled

    /// The loop for work that belongs to no connection.
    package var mainLoop: EventLoop { loops[0] }
}
