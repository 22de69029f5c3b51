import Contracts
import Domain
import HTTPClient
import Platform

/// Anthropic's Messages API.
struct AnthropicDialect: ProviderDialect {
    /// platform.claude.com/docs/en/api/versioning; it takes no sampling parameters, and we send none.
    static let version = "2026-10-21"

    func request(_ prompt: Prompt, model: String, endpoint: ProviderEndpoint) -> HTTPClientRequest {
        let body: JSONValue = [
            "model": .string(model), "max_tokens": .int(Int64(endpoint.maxTokens)), "stream": true,
            "system": .string(prompt.system), "messages": [["role": "user", "content": .string(prompt.user)]],
        ]
        var headers: HTTPClientHeaders = [
            "Content-Type": "application/json", "Accept": "text/event-stream", "anthropic-version": Self.version,
        ]
        if let key = endpoint.key { headers.append("x-api-key", key.reveal()) }
        let base = endpoint.baseURL.text
        let url = base.hasSuffix("/v1") ? "\(base)/messages" : "\(base)/v1/messages"
        return HTTPClientRequest(method: "POST", url: url, headers: headers, body: body.bytes)
    }

    func makeReader() -> any ReplyReader { AnthropicReader() }
}

/// Reads the events `message_start`, `content_block_delta`, `message_delta`, `message_stop`, `error` and `ping`. Kinds of
/// events and blocks that are not known are skipped, as the API's versioning asks.
struct AnthropicReader: ReplyReader {
    private(set) var deltas = 0
    private(set) var isComplete = false
    private(set) var inputTokens: Int?
    private(set) var outputTokens: Int?
    private var stopReason: String?

    var reachedTokenLimit: Bool { stopReason == "max_tokens" || stopReason == "model_context_window_exceeded" }
    var isRefusal: Bool { stopReason == "refusal" }
    var mayEndHere: Bool { false }

    mutating func read(_ event: ServerSentEvent) throws(CallFailure) -> String {
        let json: JSONValue
        do {
            json = try JSONParser.parse(Array(event.data.utf8))
        } catch {
            throw CallFailure(.malformedReply, "an event that is not JSON: \(error)")
        }
        guard let type = json["type"]?.string else { throw CallFailure(.malformedReply, "an event without a type") }
        switch type {
        case "message_start": count(json["message"]?["usage"])
        case "content_block_delta": return text(json["delta"])
        case "message_delta":
            stopReason = json["delta"]?["stop_reason"]?.string ?? stopReason
            count(json["usage"])
        case "message_stop": isComplete = true
        case "error":
            let report = ErrorReport(json: json) ?? ErrorReport(code: "", message: "an error without a reason")
            throw CallFailure(report.kindInStream, report.detail(status: nil, key: nil))
        default: break
        }
        return ""
    }

    private mutating func text(_ delta: JSONValue?) -> String {
        deltas += 1
        return delta?["type"]?.string == "text_delta" ? delta?["text"]?.string ?? "" : ""
    }

    /// Counts are running totals; input that came from or went to the cache is input too.
    private mutating func count(_ usage: JSONValue?) {
        guard let usage else { return }
        let inputs = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].compactMap {
            usage[$0]?.int
        }
        if usage["input_tokens"]?.int != nil { inputTokens = inputs.reduce(0) { $0 + TokenCount.valid($1) } }
        if let output = usage["output_tokens"]?.int { outputTokens = TokenCount.valid(output) }
    }
}

enum TokenCount {
    /// A count as a provider may give it: what is negative or absurd must not break sums.
    static func valid(_ count: Int64) -> Int { Int(min(max(0, count), 100_000_000)) }
}
