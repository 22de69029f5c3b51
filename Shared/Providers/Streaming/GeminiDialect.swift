import Contracts
import Domain
import HTTPClient
import Platform

/// Gemini's own API, `streamGenerateContent`: ai.google.dev/api/generate-content
struct GeminiDialect: ProviderDialect {
    /// Gemini offers OpenAI's format too, under a path that ends so; who sets that address gets that format.
    static func speaksChatCompletions(_ url: BaseURL) -> Bool { url.text.hasSuffix("/openai") }

    func request(_ prompt: Prompt, model: String, endpoint: ProviderEndpoint) -> HTTPClientRequest {
        let body: JSONValue = [
            "systemInstruction": ["parts": [["text": .string(prompt.system)]]],
            "contents": [["role": "user", "parts": [["text": .string(prompt.user)]]]],
            "generationConfig": ["maxOutputTokens": .int(Int64(endpoint.maxTokens))],
        ]
        var headers: HTTPClientHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream"]
        if let key = endpoint.key { headers.append("x-goog-api-key", key.reveal()) }
        let base = endpoint.baseURL.hasPath ? endpoint.baseURL.text : "\(endpoint.baseURL.text)/v1beta"
        let name = model.hasPrefix("models/") ? String(model.dropFirst("models/".count)) : model
        // The name is a setting or a user's wish: it must not become another path.
        let segment = StreamedCall.pathSafe(name)
        return HTTPClientRequest(
            method: "POST", url: "\(base)/models/\(segment):streamGenerateContent?alt=sse", headers: headers,
            body: body.bytes)
    }

    func makeReader() -> any ReplyReader { GeminiReader() }
}

/// Reads `GenerateContentResponse` objects. There is no last event: the one with a finish reason and a count ends it.
struct GeminiReader: ReplyReader {
    private(set) var deltas = 0
    private(set) var isComplete = false
    private(set) var inputTokens: Int?
    private(set) var outputTokens: Int?
    private var finishReason: String?
    private var isBlocked = false

    /// Reasons that mean: this content is not said.
    private static let refusals: Set<String> = [
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE",
    ]

    var reachedTokenLimit: Bool { finishReason == "MAX_TOKENS" }
    var isRefusal: Bool { isBlocked || finishReason.map(Self.refusals.contains) ?? false }
    var mayEndHere: Bool { finishReason != nil || isBlocked }

    mutating func read(_ event: ServerSentEvent) throws(CallFailure) -> String {
        let json: JSONValue
        do {
            json = try JSONParser.parse(Array(event.data.utf8))
        } catch {
            throw CallFailure(.malformedReply, "a chunk that is not JSON: \(error)")
        }
        if json["error"]?.isNull == false, let report = ErrorReport(json: json) {
            throw CallFailure(
                report.kindInStream, report.detail(status: nil, key: nil),
                retryAfterMilliseconds: report.retryDelayMilliseconds)
        }
        guard json["candidates"] != nil || json["usageMetadata"] != nil || json["promptFeedback"] != nil else {
            throw CallFailure(.malformedReply, "a chunk without candidates")
        }
        count(json["usageMetadata"])
        if json["promptFeedback"]?["blockReason"]?.string != nil { isBlocked = true }
        let candidate = json["candidates"]?.array?.first
        if let reason = candidate?["finishReason"]?.string { finishReason = reason }
        isComplete = finishReason != nil && outputTokens != nil
        return text(candidate?["content"]?["parts"]?.array ?? [])
    }

    private mutating func text(_ parts: [JSONValue]) -> String {
        var text = ""
        for part in parts {
            guard let piece = part["text"]?.string, !piece.isEmpty else { continue }
            deltas += 1
            if part["thought"]?.bool != true { text += piece }
        }
        return text
    }

    /// Counts are running totals; what a model spends on thinking is paid as output.
    private mutating func count(_ usage: JSONValue?) {
        if let input = usage?["promptTokenCount"]?.int { inputTokens = TokenCount.valid(input) }
        let output = ["candidatesTokenCount", "thoughtsTokenCount"].compactMap { usage?[$0]?.int }
        if !output.isEmpty { outputTokens = output.reduce(0) { $0 + TokenCount.valid($1) } }
    }
}
