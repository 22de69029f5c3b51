import HTTPClient
import Storage

/// A message as it goes out, and how its receiver's answer is read.
protocol Letter: Sendable {
    func request(_ delivery: WebhookDelivery) -> HTTPClientRequest
    func read(_ reply: HTTPClientReply, to delivery: WebhookDelivery) -> LetterResult
}

/// What an answer means.
enum LetterResult: Sendable, Equatable {
    case taken
    /// Taken, and where the conversation goes on.
    case takenAs(thread: String)
    case failed(String)
    /// Not now, and never.
    case refused(String)
    /// Not there; there is another way.
    case elsewhere(String)
}
