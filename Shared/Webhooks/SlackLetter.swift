import Contracts
import Domain
import HTTPClient
import Platform
import Storage

/// Into a conversation in Slack: by `chat.postMessage`, or where a command may be answered.
struct SlackLetter: Letter {
    /// Where commands are answered; whatever else a `response_url` says is not followed.
    static let answers = "https://hooks.slack.com/"
    /// What another try may cure; everything else is an answer for good.
    static let passing: Set<String> = [
        "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
        "accesslimited", "team_added_to_org",
    ]

    let address: CallbackAddress.Slack
    let notice: ChatNotice
    let settings: ChatSettings
    /// By `response_url`, because the app may not post there.
    var answersCommand = false

    var canAnswerCommand: Bool {
        guard let url = address.responseURL else { return false }
        return url.hasPrefix(Self.answers) || url.hasPrefix(settings.slackAPI + "/")
    }

    func request(_ delivery: WebhookDelivery) -> HTTPClientRequest {
        var body = SlackMessage.body(notice, question: address.question)
        var headers: HTTPClientHeaders = ["Content-Type": "application/json; charset=utf-8"]
        if answersCommand {
            body["response_type"] = "in_channel"
        } else {
            body["channel"] = .string(address.channel)
            if let thread = address.thread { body["thread_ts"] = .string(thread) }
            // A message that came twice is known by it.
            body["metadata"] = [
                "event_type": "aragora", "event_payload": ["message_id": .string(delivery.message)],
            ]
            headers.append("Authorization", "Bearer \(settings.slackToken?.reveal() ?? "")")
        }
        return HTTPClientRequest(
            method: "POST", url: answersCommand ? address.responseURL ?? "" : settings.slackAPI + "/chat.postMessage",
            headers: headers, body: CanonicalJSON.encode(body), maxResponseBytes: WebhookCourier.maxResponseBytes)
    }

    func read(_ reply: HTTPClientReply, to delivery: WebhookDelivery) -> LetterResult {
        if answersCommand {
            guard !(200...299).contains(reply.status) else { return .taken }
            let isOver = (400...499).contains(reply.status) && reply.status != 429
            return isOver ? .refused("Slack does not take an answer any more: \(reply.status)") : status(reply)
        }
        guard (200...299).contains(reply.status) else { return status(reply) }
        guard let body = try? JSONParser.parse(reply.body), let isDone = body["ok"]?.bool else {
            return .failed("Slack's answer is no JSON")
        }
        if isDone { return body["ts"]?.string.map { .takenAs(thread: $0) } ?? .taken }
        let error = ChatNotice.cut(body["error"]?.string ?? "unknown", 100)
        if Self.passing.contains(error) { return .failed("Slack says \(error)") }
        return canAnswerCommand ? .elsewhere("Slack says \(error)") : .refused("Slack says \(error)")
    }

    private func status(_ reply: HTTPClientReply) -> LetterResult { .failed("Slack answered \(reply.status)") }
}
