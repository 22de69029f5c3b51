import Contracts
import Glibc

/// What goes wrong, and how long things take.
struct Scenario: Sendable {
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    var seed: UInt64 = 1
    var latency = Delay.none
    var tokenInterval = Delay.none
    var answerWords = 60
    var rules: [Rule] = []

    init() {}

    init(json bytes: [UInt8]) throws {
        let json = try JSONParser.parse(bytes)
        guard let object = json.object else { throw Problem("a scenario is an object") }
        for member in object.members {
            switch member.key {
            case "seed": seed = UInt64(bitPattern: member.value.int ?? 1)
            case "latency": latency = try Delay(member.value)
            case "token_interval": tokenInterval = try Delay(member.value)
            case "answer_words": answerWords = Int(min(max(member.value.int ?? 60, 1), 20_000))
            case "rules": rules = try (member.value.array ?? []).map { try Rule($0) }
            default: throw Problem("\(member.key): unknown")
            }
        }
    }
}

/// A time that is drawn for each use.
enum Delay: Sendable, Equatable {
    case none
    case fixed(milliseconds: Double)
    case uniform(minimum: Double, maximum: Double)
    case logNormal(median: Double, sigma: Double)

    init(_ json: JSONValue) throws {
        func number(_ name: String) throws -> Double {
            guard let value = json[name]?.double, (0...600_000).contains(value) else {
                throw Scenario.Problem("\(name): from 0 to 600000")
            }
            return value
        }
        switch json["kind"]?.string {
        case "fixed": self = .fixed(milliseconds: try number("ms"))
        case "uniform":
            self = .uniform(minimum: try number("min_ms"), maximum: try number("max_ms"))
            if case .uniform(let low, let high) = self, low > high { throw Scenario.Problem("min_ms is above max_ms") }
        case "lognormal": self = .logNormal(median: try number("median_ms"), sigma: try number("sigma"))
        default: throw Scenario.Problem("kind: fixed, uniform or lognormal")
        }
    }

    func draw(_ random: inout some RandomNumberGenerator) -> Duration {
        switch self {
        case .none: return .zero
        case .fixed(let value): return .microseconds(Int64(value * 1000))
        case .uniform(let low, let high):
            return .microseconds(Int64(Double.random(in: low...high, using: &random) * 1000))
        case .logNormal(let median, let sigma):
            // Box and Muller's normal variate.
            let (a, b) = (Double.random(in: 1e-12..<1, using: &random), Double.random(in: 0..<1, using: &random))
            let normal = sqrt(-2 * log(a)) * cos(2 * Double.pi * b)
            return .microseconds(Int64(min(median * exp(sigma * normal), 600_000) * 1000))
        }
    }
}

/// Which calls are treated otherwise, and how.
struct Rule: Sendable {
    var model: String?
    var api: ProviderAPI?
    var prompt: String?
    var nth: [Int] = []
    var every: Int?
    var probability: Double?
    var latency: Delay?
    var tokenInterval: Delay?
    /// Said word for word in place of what the simulator would make up.
    var answer: String?
    var fault: Fault?

    init(_ json: JSONValue) throws {
        guard let object = json.object else { throw Scenario.Problem("a rule is an object") }
        for member in object.members {
            let value = member.value
            switch member.key {
            case "model": model = value.string
            case "api":
                api = value.string.flatMap(ProviderAPI.init)
                if api == nil { throw Scenario.Problem("api: anthropic, openai or gemini") }
            case "prompt": prompt = value.string
            case "nth": nth = (value.array ?? [value]).compactMap { $0.int.map(Int.init) }
            case "every":
                every = value.int.map(Int.init)
                guard let every, every > 0 else { throw Scenario.Problem("every: at least 1") }
            case "probability": probability = value.double
            case "latency": latency = try Delay(value)
            case "token_interval": tokenInterval = try Delay(value)
            case "answer": answer = value.string
            case "fault": fault = try Fault(value)
            default: throw Scenario.Problem("\(member.key): unknown in a rule")
            }
        }
    }

    /// Whether the rule is about this call at all, before counting.
    func isAbout(_ call: IncomingCall) -> Bool {
        if let api, api != call.api { return false }
        if let prompt, !call.prompt.contains(prompt) { return false }
        guard let model else { return true }
        return model.hasSuffix("*") ? call.model.hasPrefix(model.dropLast()) : call.model == model
    }

    /// Whether it strikes the `count`th call it is about.
    func strikes(count: Int, _ random: inout some RandomNumberGenerator) -> Bool {
        if !nth.isEmpty && !nth.contains(count) { return false }
        if let every, count % every != 0 { return false }
        if let probability, Double.random(in: 0..<1, using: &random) >= probability { return false }
        return true
    }
}

/// What goes wrong with one call.
struct Fault: Sendable {
    enum Kind: String, Sendable {
        case status, errorEvent = "error_event", cut, stall, empty, badChunk = "bad_chunk"
    }

    let kind: Kind
    let status: Int
    let retryAfterSeconds: Int?
    let type: String
    let message: String
    let afterTokens: Int

    init(_ json: JSONValue) throws {
        guard let kind = json["kind"]?.string.flatMap(Kind.init) else {
            throw Scenario.Problem("fault: kind is status, error_event, cut, stall, empty or bad_chunk")
        }
        self.kind = kind
        status = Int(json["status"]?.int ?? 500)
        guard (400...599).contains(status) else { throw Scenario.Problem("status: from 400 to 599") }
        retryAfterSeconds = json["retry_after_seconds"]?.int.map(Int.init)
        type = json["type"]?.string ?? Self.usualType(of: status)
        message = json["message"]?.string ?? "The simulator was told to fail."
        afterTokens = Int(max(0, json["after_tokens"]?.int ?? 3))
    }

    private static func usualType(of status: Int) -> String {
        switch status {
        case 400, 422: "invalid_request_error"
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 429: "rate_limit_error"
        case 529, 503: "overloaded_error"
        default: "api_error"
        }
    }
}
