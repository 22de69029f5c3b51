import Contracts
import Domain
import HTTPClient
import Platform

/// What a provider says went wrong, in any of the forms in use, and what we make of it.
struct ErrorReport: Equatable {
    /// Characters of a provider's message that our log keeps.
    static let maxMessageCharacters = 200
    /// `Retry-After` beyond this is taken for this.
    static let maxRetryAfterMilliseconds: Int64 = 24 * 3600 * 1000

    /// The provider's own code or type, `overloaded_error` or `insufficient_quota`; empty when there is none.
    let code: String
    let message: String
    /// Google says in the body how long to wait (google.rpc.RetryInfo).
    private(set) var retryDelayMilliseconds: Int64?

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// Reads `{"error":{"type","code","message"}}`, `{"error":"…"}` and `{"message":"…"}`; nil for anything else.
    init?(json: JSONValue) {
        if case .array(let list) = json, let first = list.first {  // Gemini wraps its errors in a list
            self.init(json: first)
            return
        }
        if let text = json["error"]?.string {
            self.init(code: "", message: text)
            return
        }
        guard let error = json["error"]?.object else {
            guard let message = json["message"]?.string, json["choices"] == nil else { return nil }
            self.init(code: json["type"]?.string ?? "", message: message)
            return
        }
        // Anthropic names the cause in `details`, as the wording may change.
        let codes = [error["details"]?["error_code"], error["code"], error["type"], error["status"]].compactMap {
            $0?.string ?? $0?.int.map { "\($0)" }
        }
        self.init(code: codes.joined(separator: " "), message: error["message"]?.string ?? "")
        retryDelayMilliseconds = Self.retryDelay(error["details"])
    }

    /// `"retryDelay": "34s"` of any detail.
    private static func retryDelay(_ details: JSONValue?) -> Int64? {
        for detail in details?.array ?? [] {
            guard let text = detail["retryDelay"]?.string, text.hasSuffix("s"),
                let seconds = Double(text.dropLast()), seconds.isFinite
            else { continue }
            return Int64(min(max(0, seconds * 1000), Double(maxRetryAfterMilliseconds)))
        }
        return nil
    }

    /// The kind of an answer with another status than 200.
    func kind(status: Int) -> CallFailure.Kind {
        switch status {
        case 401, 403: return .authentication
        case 402: return .quota
        case 429: return isAboutMoney ? .quota : .rateLimited
        case 503, 529: return .overloaded
        case 408, 504, 524: return .upstreamTimeout
        case 500...: return .server
        case 400..<500: return isAboutMoney ? .quota : .badRequest
        default: return .malformedReply
        }
    }

    /// The kind of an error inside a stream whose status was 200.
    var kindInStream: CallFailure.Kind {
        if let status = code.split(separator: " ").compactMap({ Int($0) }).first(where: { (400...599).contains($0) }) {
            return kind(status: status)
        }
        let code = code.lowercased()
        if isAboutMoney { return .quota }
        if code.contains("overloaded") || code.contains("unavailable") { return .overloaded }
        if code.contains("deadline_exceeded") || code.contains("timeout_error") { return .upstreamTimeout }
        if code.contains("rate_limit") || code.contains("resource_exhausted") { return .rateLimited }
        if code.contains("authentication") || code.contains("permission") { return .authentication }
        if code.contains("invalid_request") || code.contains("not_found") || code.contains("too_large") {
            return .badRequest
        }
        return .server
    }

    /// Waiting does not help against an empty account. Bare "billing" or "payment" would be wrong here: OpenAI's ordinary
    /// rate limits advise to add a payment method.
    private var isAboutMoney: Bool {
        // Gemini says "exceeded your current quota" of a rate per minute as well, and then when to come back.
        if retryDelayMilliseconds != nil { return false }
        let text = "\(code) \(message)".lowercased()
        return [
            "insufficient_quota", "insufficient credit", "spend_limit", "billing_error", "billing_hard_limit",
            "billing_not_active", "billing_unavailable", "credit balance", "exceeded your current quota", "spend limit",
            "spending limit", "usage limit", "out of credits",
        ].contains { text.contains($0) }
    }

    /// What our log may say: short, one line, without the key, which some providers repeat.
    func detail(status: Int?, key: Secret<String>?) -> String {
        var text = message
        if let key = key?.reveal(), !key.isEmpty { text = text.replacing(key, with: "<key>") }
        let line = text.prefix(Self.maxMessageCharacters).map {
            $0.isNewline || $0.asciiValue.map { $0 < 0x20 } == true ? " " : $0
        }
        return [status.map { "HTTP \($0)" }, code.isEmpty ? nil : String(code.prefix(64)), String(line)]
            .compactMap(\.self).joined(separator: " ")
    }
}
