import Contracts
import HTTP

/// Whose format a request is in.
enum ProviderAPI: String, Sendable { case anthropic, openai, gemini }

/// One request for an answer.
struct IncomingCall: Sendable {
    /// What is wrong with a request, as the provider would say it.
    struct Refusal: Error {
        let status: Int
        let type: String
        let message: String
    }

    let api: ProviderAPI
    let model: String
    let isStreamed: Bool
    let wantsUsage: Bool
    /// Text of the last user message.
    let prompt: String
    /// Text of the system message.
    let system: String
    let promptBytes: Int
    let idempotencyKey: String
    let callKey: String

    /// - Parameter path: what Gemini's path names: `<model>:streamGenerateContent`.
    init(_ request: Request, api: ProviderAPI, path: String? = nil) throws(Refusal) {
        // Anthropic takes either: its own libraries send the second since API version 2026-10-21.
        let keyHeader = [ProviderAPI.anthropic: "x-api-key", .gemini: "x-goog-api-key"][api]
        let hasKey = keyHeader.map { request[header: $0]?.isEmpty == false } ?? false
        guard hasKey || request[header: "authorization"]?.hasPrefix("Bearer ") == true else {
            throw Refusal(status: 401, type: "authentication_error", message: "There is no key.")
        }
        guard let json = try? JSONParser.parse(request.body, maximumBytes: 16 << 20) else {
            throw Refusal(status: 400, type: "invalid_request_error", message: "The body is not JSON.")
        }
        if api == .gemini {
            guard let path, let colon = path.lastIndex(of: ":"), let contents = json["contents"]?.array,
                !contents.isEmpty
            else {
                throw Refusal(
                    status: 400, type: "invalid_request_error", message: "a model and contents are required.")
            }
            self.api = api
            model = String(path[..<colon])
            isStreamed = path[colon...] == ":streamGenerateContent"
            wantsUsage = true
            prompt = contents.last { $0["role"]?.string == "user" }.map { Self.text($0["parts"]) } ?? ""
            system = Self.text(json["systemInstruction"]?["parts"])
            promptBytes = request.body.count
            idempotencyKey = request[header: "idempotency-key"] ?? ""
            callKey = request[header: "x-aragora-call-key"] ?? ""
            return
        }
        guard let model = json["model"]?.string, let messages = json["messages"]?.array, !messages.isEmpty else {
            throw Refusal(status: 400, type: "invalid_request_error", message: "model and messages are required.")
        }
        if api == .anthropic {
            guard let limit = json["max_tokens"]?.int, limit > 0 else {
                throw Refusal(status: 400, type: "invalid_request_error", message: "max_tokens: field required")
            }
            guard request[header: "anthropic-version"] != nil else {
                throw Refusal(
                    status: 400, type: "invalid_request_error", message: "anthropic-version: header is required")
            }
        }
        self.api = api
        self.model = model
        isStreamed = json["stream"]?.bool ?? false
        wantsUsage = json["stream_options"]?["include_usage"]?.bool ?? false
        prompt = messages.last { $0["role"]?.string == "user" }.map { Self.text($0["content"]) } ?? ""
        system =
            api == .anthropic
            ? Self.text(json["system"])
            : messages.filter { $0["role"]?.string == "system" }.map { Self.text($0["content"]) }.joined(
                separator: "\n")
        promptBytes = request.body.count
        idempotencyKey = request[header: "idempotency-key"] ?? ""
        callKey = request[header: "x-aragora-call-key"] ?? ""
    }

    /// Content is a text, or a list of blocks with text in them.
    private static func text(_ content: JSONValue?) -> String {
        if let text = content?.string { return text }
        return (content?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
    }
}
