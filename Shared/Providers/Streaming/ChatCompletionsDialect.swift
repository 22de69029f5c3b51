import Contracts
import Domain
import HTTPClient
import Platform

/// The chat completions API, as OpenAI, OpenRouter, Mistral, Gemini, xAI and local servers offer it.
struct ChatCompletionsDialect: ProviderDialect {
    let provider: ProviderKey

    /// OpenAI's reasoning models refuse the older name; the others know only that.
    private var tokenLimitField: String { provider == .openai ? "max_completion_tokens" : "max_tokens" }
    /// Mistral counts without being asked, and refuses fields it does not know.
    private var asksForUsage: Bool { provider != .mistral }

    func request(_ prompt: Prompt, model: String, endpoint: ProviderEndpoint) -> HTTPClientRequest {
        var body = JSONObject([
            ("model", .string(model)), (tokenLimitField, .int(Int64(endpoint.maxTokens))), ("stream", true),
            (
                "messages",
                [
                    ["role": "system", "content": .string(prompt.system)],
                    ["role": "user", "content": .string(prompt.user)],
                ]
            ),
        ])
        if asksForUsage { body["stream_options"] = ["include_usage": true] }
        var headers: HTTPClientHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream"]
        if let key = endpoint.key { headers.append("Authorization", "Bearer \(key.reveal())") }
        let base = endpoint.baseURL.hasPath ? endpoint.baseURL.text : "\(endpoint.baseURL.text)/v1"
        return HTTPClientRequest(
            method: "POST", url: "\(base)/chat/completions", headers: headers, body: JSONValue.object(body).bytes)
    }

    func makeReader() -> any ReplyReader { ChatCompletionsReader() }
}

/// Reads `chat.completion.chunk` objects up to `[DONE]`.
struct ChatCompletionsReader: ReplyReader {
    private(set) var deltas = 0
    private(set) var isComplete = false
    private(set) var inputTokens: Int?
    private(set) var outputTokens: Int?
    private var finishReason: String?
    private var hasRefusalText = false

    var reachedTokenLimit: Bool { finishReason == "length" }
    var isRefusal: Bool { finishReason == "content_filter" || hasRefusalText }
    /// Some servers close after the last chunk without saying `[DONE]`.
    var mayEndHere: Bool { finishReason != nil }

    mutating func read(_ event: ServerSentEvent) throws(CallFailure) -> String {
        guard event.data != "[DONE]" else {
            isComplete = true
            return ""
        }
        let json: JSONValue
        do {
            json = try JSONParser.parse(Array(event.data.utf8))
        } catch {
            throw CallFailure(.malformedReply, "a chunk that is not JSON: \(error)")
        }
        if json["error"]?.isNull == false || event.name == "error", let report = ErrorReport(json: json) {
            throw CallFailure(report.kindInStream, report.detail(status: nil, key: nil))
        }
        guard let choices = json["choices"]?.array else {
            guard json["usage"] != nil else { throw CallFailure(.malformedReply, "a chunk without choices") }
            count(json["usage"])
            return ""
        }
        count(json["usage"])
        guard let choice = choices.first else { return "" }  // the chunk that only counts
        if let reason = choice["finish_reason"]?.string { finishReason = reason }
        if choice["delta"]?["refusal"]?.string?.isEmpty == false { hasRefusalText = true }
        guard finishReason != "error" else { throw CallFailure(.server, "the provider ended the answer with an error") }
        return text(choice["delta"])
    }

    /// Servers of reasoning models stream the thinking in a field beside the content.
    private mutating func text(_ delta: JSONValue?) -> String {
        let pieces = ["content", "reasoning_content", "reasoning"].map { delta?[$0]?.string ?? "" }
        if pieces.contains(where: { !$0.isEmpty }) { deltas += 1 }
        return pieces[0]
    }

    private mutating func count(_ usage: JSONValue?) {
        if let input = usage?["prompt_tokens"]?.int { inputTokens = TokenCount.valid(input) }
        if let output = usage?["completion_tokens"]?.int { outputTokens = TokenCount.valid(output) }
    }
}
