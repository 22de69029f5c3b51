import Domain
package import HTTPClient
import Platform

/// Asks a provider for its models: whether it is there, and whether it takes our key. Costs nothing.
package struct ProviderProbe: Sendable {
    package enum Answer: Sendable, Equatable {
        /// The key counts, or the server asks for none. With what it answered.
        case accepted(status: Int)
        /// 401 or 403.
        case refused(status: Int)
        /// The server itself is in trouble.
        case failing(status: Int)
        case unreachable(reason: String)
    }

    static let maxAnswerBytes = 4 * 1024 * 1024

    private let endpoint: ProviderEndpoint
    private let http: HTTPClient

    package init(endpoint: ProviderEndpoint, http: HTTPClient) {
        self.endpoint = endpoint
        self.http = http
    }

    package func ask(deadlines: Deadlines) async -> Answer {
        do {
            let answer = try await http.open(request, deadlines: deadlines)
            await answer.body.finishInBackground()
            return switch answer.status {
            case 401, 403: .refused(status: answer.status)
            case 500...: .failing(status: answer.status)
            // Gemini says 400 of a key it does not know.
            case 400 where endpoint.provider == .gemini: .refused(status: answer.status)
            default: .accepted(status: answer.status)
            }
        } catch {
            return .unreachable(reason: error.description)
        }
    }

    private var request: HTTPClientRequest {
        var headers: HTTPClientHeaders = ["Accept": "application/json"]
        let base = endpoint.baseURL.text
        guard endpoint.provider == .anthropic else {
            let isGemini = endpoint.provider == .gemini && !GeminiDialect.speaksChatCompletions(endpoint.baseURL)
            if let key = endpoint.key {
                if isGemini {
                    headers.append("x-goog-api-key", key.reveal())
                } else {
                    headers.append("Authorization", "Bearer \(key.reveal())")
                }
            }
            let root = endpoint.baseURL.hasPath ? base : "\(base)/\(isGemini ? "v1beta" : "v1")"
            // OpenRouter shows its models to everybody.
            let path = endpoint.provider == .openrouter ? "key" : "models"
            return HTTPClientRequest(url: "\(root)/\(path)", headers: headers, maxResponseBytes: Self.maxAnswerBytes)
        }
        headers.append("anthropic-version", AnthropicDialect.version)
        if let key = endpoint.key { headers.append("x-api-key", key.reveal()) }
        return HTTPClientRequest(
            url: base.hasSuffix("/v1") ? "\(base)/models" : "\(base)/v1/models", headers: headers,
            maxResponseBytes: Self.maxAnswerBytes)
    }
}
