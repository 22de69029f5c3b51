package import Domain
package import HTTPClient

/// Calls a provider over HTTP, streamed, in the dialect that its endpoint speaks.
package struct StreamedProvider: ModelClient {
    private let endpoint: ProviderEndpoint
    private let dialect: any ProviderDialect
    private let http: HTTPClient

    package init(endpoint: ProviderEndpoint, http: HTTPClient) {
        self.endpoint = endpoint
        self.http = http
        dialect =
            switch endpoint.provider {
            case .anthropic: AnthropicDialect()
            case .gemini where !GeminiDialect.speaksChatCompletions(endpoint.baseURL): GeminiDialect()
            default: ChatCompletionsDialect(provider: endpoint.provider)
            }
    }

    package func call(_ request: CallRequest, tokens: @escaping TokenSink) async -> CallOutcome {
        await StreamedCall(request: request, endpoint: endpoint, dialect: dialect, http: http, tokens: tokens).run()
    }
}
