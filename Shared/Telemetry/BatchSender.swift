import HTTPClient
import Platform
import Sockets

/// Sends something until it is taken, refused, or not worth another try; says once that a receiver is away, and once that
/// it is back.
final class BatchSender {
    enum Outcome {
        case taken
        /// The receiver will not have it, whenever it is sent.
        case refused
        /// It was away all the time.
        case failed
    }

    private let loop: EventLoop
    private let log: Log
    private let what: String
    private var isAway = false

    /// - Parameter what: what is sent, for the log.
    init(log: Log, what: String, loop: EventLoop) {
        self.loop = loop
        self.log = log
        self.what = what
    }

    /// - Parameters:
    ///   - attempts: requests, the first included.
    ///   - longestWait: a wait that the receiver asks for and that is longer ends the attempts.
    func send(
        attempts: Int, longestWait: Duration, _ request: () async throws -> HTTPClientReply
    ) async -> Outcome {
        var backoff = Backoff(first: .milliseconds(500), cap: .seconds(10))
        for attempt in 1...attempts {
            var wait = backoff.next()
            do {
                let reply = try await request()
                if (200...299).contains(reply.status) {
                    if isAway { log.info("receiver is back", .reason(what)) }
                    isAway = false
                    return .taken
                }
                say("it answered \(reply.status)")
                // What OTLP calls retryable, and nothing else.
                guard [429, 502, 503, 504].contains(reply.status) else { return .refused }
                if let asked = reply.retryAfter { wait = max(wait, asked) }
            } catch {
                say("\(error)")
                if Task.isCancelled { return .failed }
            }
            guard attempt < attempts, wait <= longestWait else { break }
            guard (try? await loop.sleep(for: wait)) != nil else { break }
        }
        return .failed
    }

    private func say(_ reason: String) {
        guard !isAway else { return }
        isAway = true
        log.warning("receiver does not take it", .reason("\(what): \(reason)"))
    }
}

extension HTTPClientReply {
    /// `Retry-After` in whole seconds.
    var retryAfter: Duration? {
        headers["retry-after"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 86_400)) : nil }
    }
}
