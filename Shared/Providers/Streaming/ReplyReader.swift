import Domain
import HTTPClient

/// Reads one provider's stream, event by event. A pure value.
protocol ReplyReader: Sendable {
    /// Takes an event and returns the text it adds to the answer.
    /// - Throws: ``CallFailure`` when the event is an error, or not what the provider's format allows.
    mutating func read(_ event: ServerSentEvent) throws(CallFailure) -> String
    /// Pieces of text or of thinking so far: what shows that the model is at work.
    var deltas: Int { get }
    /// The stream said that it is over; nothing that follows counts.
    var isComplete: Bool { get }
    /// The answer ended at its token limit.
    var reachedTokenLimit: Bool { get }
    /// The model refused to answer.
    var isRefusal: Bool { get }
    /// Tokens as the provider counted them; nil before it said.
    var inputTokens: Int? { get }
    var outputTokens: Int? { get }
    /// Whether a stream that just ends here is a whole answer all the same.
    var mayEndHere: Bool { get }
}

/// What makes a provider's API differ from another's.
protocol ProviderDialect: Sendable {
    func request(_ prompt: Prompt, model: String, endpoint: ProviderEndpoint) -> HTTPClientRequest
    func makeReader() -> any ReplyReader
}
