import Domain
import Testing

/// Every way a call goes wrong, and what must follow: the expectations of ``FaultMatrixTests`` and the table of
/// docs/providers.md.
struct FaultRow: Sendable, CustomTestStringConvertible {
    /// How the fault is made.
    enum Cause: Sendable {
        /// The `fault` and delays of a rule of the simulator.
        case scenario(String)
        /// Nobody listens.
        case refused
        /// The connection is reset in the middle of the TLS handshake.
        case resetInHandshake
    }

    /// What of the answer viewers were shown while it came.
    enum Seen: String, Sendable {
        case nothing, beginning = "the beginning; the next attempt begins anew", all = "all of it"
    }

    enum Paid: String, Sendable {
        case nothing, counted = "what was counted until then", reservation = "the reservation: nobody knows", answer =
            "the answer"
    }

    /// What the runner does, with OpenRouter to fall back to or without it.
    enum Action: String, Sendable {
        case none = "-"
        case retry = "try again, then ask OpenRouter, else the agent fails"
        case retryAfter = "try again when the provider says, then ask OpenRouter, else the agent fails"
        case fallBack = "ask OpenRouter at once, else the agent fails"
        case fallBackOrRetry = "ask OpenRouter at once, else try again"
    }

    let name: String
    let cause: Cause
    let kind: CallFailure.Kind?
    let summary: CallOutcome.Summary
    let action: Action
    let countsForBreaker: Bool
    let seen: Seen
    let paid: Paid

    var testDescription: String { name }

    static let all: [FaultRow] = [
        .init(
            name: "no fault", cause: .scenario(#"{"rules":[]}"#), kind: nil, summary: .answered, action: .none,
            countsForBreaker: false, seen: .all, paid: .answer),
        .init(
            name: "429 with Retry-After", cause: fault(#"{"kind":"status","status":429,"retry_after_seconds":7}"#),
            kind: .rateLimited, summary: .failed, action: .retryAfter, countsForBreaker: true, seen: .nothing,
            paid: .nothing),
        .init(
            name: "429 without Retry-After", cause: fault(#"{"kind":"status","status":429}"#), kind: .rateLimited,
            summary: .failed, action: .retry, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "429 of a spending limit",
            cause: fault(#"{"kind":"status","status":429,"message":"You have reached your spend limit."}"#),
            kind: .quota, summary: .failed, action: .fallBack, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "402", cause: fault(#"{"kind":"status","status":402}"#), kind: .quota, summary: .failed,
            action: .fallBack, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "408, 504, 524", cause: fault(#"{"kind":"status","status":504}"#), kind: .upstreamTimeout,
            summary: .failed, action: .fallBackOrRetry, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "529", cause: fault(#"{"kind":"status","status":529}"#), kind: .overloaded, summary: .failed,
            action: .retry, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "500", cause: fault(#"{"kind":"status","status":500}"#), kind: .server, summary: .failed,
            action: .retry, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "refused connection", cause: .refused, kind: .connect, summary: .failed, action: .retry,
            countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "reset in the TLS handshake", cause: .resetInHandshake, kind: .connect, summary: .failed,
            action: .retry, countsForBreaker: true, seen: .nothing, paid: .nothing),
        .init(
            name: "slow first token", cause: .scenario(#"{"rules":[{"latency":{"kind":"fixed","ms":600000}}]}"#),
            kind: .firstTokenTimeout, summary: .unknown, action: .retry, countsForBreaker: true, seen: .nothing,
            paid: .reservation),
        .init(
            name: "stall in mid-answer", cause: fault(#"{"kind":"stall"}"#), kind: .idleTimeout, summary: .unknown,
            action: .retry, countsForBreaker: true, seen: .beginning, paid: .reservation),
        .init(
            name: "cut in mid-answer", cause: fault(#"{"kind":"cut"}"#), kind: .cut, summary: .unknown, action: .retry,
            countsForBreaker: true, seen: .beginning, paid: .reservation),
        .init(
            name: "bad chunk", cause: fault(#"{"kind":"bad_chunk"}"#), kind: .malformedReply, summary: .unknown,
            action: .retry, countsForBreaker: true, seen: .beginning, paid: .reservation),
        .init(
            name: "empty 200", cause: fault(#"{"kind":"empty"}"#), kind: .emptyReply, summary: .unknown,
            action: .retry, countsForBreaker: true, seen: .nothing, paid: .reservation),
        .init(
            name: "error inside a 200 stream", cause: fault(#"{"kind":"error_event","type":"overloaded_error"}"#),
            kind: .overloaded, summary: .failed, action: .retry, countsForBreaker: true, seen: .beginning,
            paid: .counted),
    ]

    private static func fault(_ json: String) -> Cause { .scenario(#"{"rules":[{"fault":\#(json)}]}"#) }

    static let tableHead = [
        "What happens", "Outcome", "Error", "What is done", "Breaker", "What viewers saw", "What was paid",
    ]

    var tableRow: [String] {
        [
            name, summary.rawValue, kind.map { "`\($0.rawValue)`" } ?? "-", action.rawValue,
            countsForBreaker ? "counts" : "-", seen.rawValue, paid.rawValue,
        ]
    }
}
