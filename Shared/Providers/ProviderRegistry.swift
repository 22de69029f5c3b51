package import Domain
import HTTPClient
package import Platform
package import Sockets

/// The model clients of one event loop, by provider. Itself a client that passes a call to its agent's provider.
package final class ProviderRegistry: ModelClient {
    package let settings: ProviderSettings
    private let clients: [ProviderKey: any ModelClient]
    private let http: HTTPClient

    /// - Parameters:
    ///   - loop: where every connection and timer lives; call from tasks on it.
    ///   - limits: shared by all registries of the process.
    package init(settings: ProviderSettings, loop: EventLoop, limits: ProviderLimits, metrics: Metrics, log: Log) {
        self.settings = settings
        limits.register(on: metrics, providers: settings.configured)
        var configuration = HTTPClientConfiguration()
        configuration.caFile = settings.caFile
        configuration.maxConnectionsPerHost = settings.maxInFlight
        let http = HTTPClient(loop: loop, configuration: configuration)
        self.http = http
        var clients: [ProviderKey: any ModelClient] = [.demo: DemoProvider(loop: loop, latency: settings.demoLatency)]
        for (provider, endpoint) in settings.endpoints {
            let inner = StreamedProvider(endpoint: endpoint, http: http)
            clients[provider] = GuardedClient(
                provider: provider, inner: inner, limits: limits, loop: loop, maxWait: endpoint.deadlines.total,
                log: log)
        }
        self.clients = clients
    }

    /// The client of a provider; one that fails with `.notConfigured` when there is none.
    package func client(for provider: ProviderKey) -> any ModelClient { clients[provider] ?? UnconfiguredClient() }

    package func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        await client(for: request.call.agent.provider).call(request, tokens: tokens)
    }

    /// Ends every call in flight and closes every connection.
    package func close() async { await http.close() }
}

/// Stands where a provider has no key.
struct UnconfiguredClient: ModelClient {
    func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        .failed(CallFailure(.notConfigured, "no key for \(request.call.agent.provider.rawValue)", wasSent: false))
    }
}
