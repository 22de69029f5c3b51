import Contracts

/// The bytes of one provider's answers.
protocol ReplyFormat: Sendable {
    /// Before the first token.
    func start(_ call: IncomingCall) -> [UInt8]
    func token(_ text: String, _ call: IncomingCall) -> [UInt8]
    func end(_ call: IncomingCall, tokens: Int) -> [UInt8]
    /// A whole answer, not streamed.
    func whole(_ text: String, _ call: IncomingCall, tokens: Int) -> [UInt8]
    func errorBody(type: String, message: String) -> [UInt8]
    /// An error inside a stream.
    func errorEvent(type: String, message: String) -> [UInt8]
}

struct AnthropicFormat: ReplyFormat {
    private func event(_ name: String, _ data: JSONValue) -> [UInt8] {
        Array("event: \(name)\ndata: ".utf8) + data.bytes + Array("\n\n".utf8)
    }

    private func inputTokens(_ call: IncomingCall) -> JSONValue { .int(Int64(call.promptBytes / 4 + 1)) }

    func start(_ call: IncomingCall) -> [UInt8] {
        let message: JSONValue = [
            "id": "msg_simulated", "type": "message", "role": "assistant", "model": .string(call.model), "content": [],
            "stop_reason": nil, "stop_sequence": nil,
            "usage": ["input_tokens": inputTokens(call), "output_tokens": 1],
        ]
        return event("message_start", ["type": "message_start", "message": message])
            + event(
                "content_block_start",
                ["type": "content_block_start", "index": 0, "content_block": ["type": "text", "text": ""]])
            + event("ping", ["type": "ping"])
    }

    func token(_ text: String, _ call: IncomingCall) -> [UInt8] {
        event(
            "content_block_delta",
            ["type": "content_block_delta", "index": 0, "delta": ["type": "text_delta", "text": .string(text)]])
    }

    func end(_ call: IncomingCall, tokens: Int) -> [UInt8] {
        event("content_block_stop", ["type": "content_block_stop", "index": 0])
            + event(
                "message_delta",
                [
                    "type": "message_delta", "delta": ["stop_reason": "end_turn", "stop_sequence": nil],
                    "usage": ["output_tokens": .int(Int64(tokens))],
                ])
            + event("message_stop", ["type": "message_stop"])
    }

    func whole(_ text: String, _ call: IncomingCall, tokens: Int) -> [UInt8] {
        let message: JSONValue = [
            "id": "msg_simulated", "type": "message", "role": "assistant", "model": .string(call.model),
            "content": [["type": "text", "text": .string(text)]], "stop_reason": "end_turn", "stop_sequence": nil,
            "usage": ["input_tokens": inputTokens(call), "output_tokens": .int(Int64(tokens))],
        ]
        return message.bytes
    }

    func errorBody(type: String, message: String) -> [UInt8] { error(type, message).bytes }
    func errorEvent(type: String, message: String) -> [UInt8] { event("error", error(type, message)) }

    private func error(_ type: String, _ message: String) -> JSONValue {
        ["type": "error", "error": ["type": .string(type), "message": .string(message)]]
    }
}

struct GeminiFormat: ReplyFormat {
    private func chunk(_ call: IncomingCall, _ text: String?, finish: JSONValue? = nil, usage: JSONValue) -> JSONValue {
        var candidate = JSONObject([("index", 0)])
        if let text { candidate["content"] = ["role": "model", "parts": [["text": .string(text)]]] }
        if let finish { candidate["finishReason"] = finish }
        return [
            "candidates": [.object(candidate)], "usageMetadata": usage, "modelVersion": .string(call.model),
            "responseId": "simulated",
        ]
    }

    private func usage(_ call: IncomingCall, tokens: Int?) -> JSONValue {
        let input = Int64(call.promptBytes / 4 + 1)
        guard let tokens else { return ["promptTokenCount": .int(input), "totalTokenCount": .int(input)] }
        return [
            "promptTokenCount": .int(input), "candidatesTokenCount": .int(Int64(tokens)),
            "totalTokenCount": .int(input + Int64(tokens)),
        ]
    }

    private func event(_ json: JSONValue) -> [UInt8] { Array("data: ".utf8) + json.bytes + Array("\r\n\r\n".utf8) }

    func start(_ call: IncomingCall) -> [UInt8] { [] }

    func token(_ text: String, _ call: IncomingCall) -> [UInt8] {
        event(chunk(call, text, usage: usage(call, tokens: nil)))
    }

    func end(_ call: IncomingCall, tokens: Int) -> [UInt8] {
        event(chunk(call, nil, finish: "STOP", usage: usage(call, tokens: tokens)))
    }

    func whole(_ text: String, _ call: IncomingCall, tokens: Int) -> [UInt8] {
        chunk(call, text, finish: "STOP", usage: usage(call, tokens: tokens)).bytes
    }

    func errorBody(type: String, message: String) -> [UInt8] { error(type, message).bytes }
    func errorEvent(type: String, message: String) -> [UInt8] { event(error(type, message)) }

    private func error(_ type: String, _ message: String) -> JSONValue {
        [
            "error": [
                "code": .int(Self.code(of: type)), "message": .string(message),
                "status": .string(Self.status(of: type)),
            ]
        ]
    }

    /// The names of errors that scenarios share are those of the other two; Gemini has Google's.
    private static func status(of type: String) -> String {
        switch type {
        case "invalid_request_error": "INVALID_ARGUMENT"
        case "authentication_error": "UNAUTHENTICATED"
        case "permission_error": "PERMISSION_DENIED"
        case "not_found_error": "NOT_FOUND"
        case "rate_limit_error", "insufficient_quota": "RESOURCE_EXHAUSTED"
        case "overloaded_error": "UNAVAILABLE"
        case "api_error": "INTERNAL"
        default: type
        }
    }

    private static func code(of type: String) -> Int64 {
        switch status(of: type) {
        case "INVALID_ARGUMENT": 400
        case "UNAUTHENTICATED": 401
        case "PERMISSION_DENIED": 403
        case "NOT_FOUND": 404
        case "RESOURCE_EXHAUSTED": 429
        case "UNAVAILABLE": 503
        default: 500
        }
    }
}

struct OpenAIFormat: ReplyFormat {
    private func chunk(_ call: IncomingCall, _ choices: JSONValue, usage: JSONValue? = nil) -> [UInt8] {
        var object = JSONObject([
            ("id", "chatcmpl-simulated"), ("object", "chat.completion.chunk"), ("created", 1_790_000_000),
            ("model", .string(call.model)), ("choices", choices),
        ])
        if let usage { object["usage"] = usage }
        return Array("data: ".utf8) + JSONValue.object(object).bytes + Array("\n\n".utf8)
    }

    private func choice(_ delta: JSONValue, finish: JSONValue = nil) -> JSONValue {
        [["index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish]]
    }

    private func usage(_ call: IncomingCall, _ tokens: Int) -> JSONValue {
        let input = Int64(call.promptBytes / 4 + 1)
        return [
            "prompt_tokens": .int(input), "completion_tokens": .int(Int64(tokens)),
            "total_tokens": .int(input + Int64(tokens)),
        ]
    }

    func start(_ call: IncomingCall) -> [UInt8] { chunk(call, choice(["role": "assistant", "content": ""])) }
    func token(_ text: String, _ call: IncomingCall) -> [UInt8] { chunk(call, choice(["content": .string(text)])) }

    func end(_ call: IncomingCall, tokens: Int) -> [UInt8] {
        chunk(call, choice([:], finish: "stop"))
            + (call.wantsUsage ? chunk(call, [], usage: usage(call, tokens)) : []) + Array("data: [DONE]\n\n".utf8)
    }

    func whole(_ text: String, _ call: IncomingCall, tokens: Int) -> [UInt8] {
        let message: JSONValue = ["role": "assistant", "content": .string(text), "refusal": nil]
        let completion: JSONValue = [
            "id": "chatcmpl-simulated", "object": "chat.completion", "created": 1_790_000_000,
            "model": .string(call.model),
            "choices": [["index": 0, "message": message, "logprobs": nil, "finish_reason": "stop"]],
            "usage": usage(call, tokens),
        ]
        return completion.bytes
    }

    func errorBody(type: String, message: String) -> [UInt8] { error(type, message).bytes }

    func errorEvent(type: String, message: String) -> [UInt8] {
        Array("data: ".utf8) + error(type, message).bytes + Array("\n\n".utf8)
    }

    private func error(_ type: String, _ message: String) -> JSONValue {
        ["error": ["message": .string(message), "type": .string(type), "param": nil, "code": .string(type)]]
    }
}
