import Contracts
import Domain
import HTTPClient
import Platform
import Sockets

/// One streamed call of a provider from request to outcome. Sends exactly one request.
struct StreamedCall {
    /// Bytes of an error body that are read.
    static let maxErrorBytes = 64 * 1024
    /// How long an error body may take.
    static let errorBodyTime = Duration.seconds(5)

    let request: CallRequest
    let endpoint: ProviderEndpoint
    let dialect: any ProviderDialect
    let http: HTTPClient
    let tokens: TokenSink

    private var model: String { request.call.agent.model.isEmpty ? endpoint.model : request.call.agent.model }

    func run() async -> CallOutcome {
        let prompt = PromptBuilder.prompt(for: request.call)
        let promptBytes = prompt.system.utf8.count + prompt.user.utf8.count
        var message = dialect.request(prompt, model: model, endpoint: endpoint)
        let name = Self.headerSafe("\(request.debate):\(request.call.key)")
        message.headers.append("Idempotency-Key", "\(name):\(request.attempt)")
        message.headers.append("X-Aragora-Call-Key", name)
        if let trace = request.traceparent { message.headers.append("traceparent", trace) }
        let response: HTTPClientResponse
        do {
            response = try await http.open(message, deadlines: endpoint.deadlines.transfer(spent: .zero))
        } catch {
            let failure = Self.failure(error, hasToken: false)
            return .failed(failure.wasSent ? unknown(failure, Usage(inputTokens: (promptBytes + 3) / 4)) : failure)
        }
        guard response.status == 200 else { return .failed(await refusal(response)) }
        return await read(response, promptBytes: promptBytes)
    }

    // MARK: The answer

    private func read(_ response: HTTPClientResponse, promptBytes: Int) async -> CallOutcome {
        var reply = Reply(reader: dialect.makeReader(), promptBytes: promptBytes, clock: TokenClock(endpoint.deadlines))
        do {
            while let bytes = try await response.body.next(timeout: reply.clock.left) {
                try reply.take(bytes, tokens: tokens)
                if reply.reader.isComplete { break }
            }
            if reply.reader.isComplete { await response.body.finishInBackground() }
            return .answered(try answer(reply, isEventStream: Self.isEventStream(response)))
        } catch let error as HTTPClientError {
            return .failed(paid(Self.failure(error, hasToken: reply.clock.hasToken), reply))
        } catch let failure as CallFailure {
            return .failed(paid(failure, reply))
        } catch {
            return .failed(paid(CallFailure(.malformedReply, "\(error)"), reply))
        }
    }

    private func answer(_ reply: Reply, isEventStream: Bool) throws(CallFailure) -> Answer {
        if let report = reply.errorOutsideEvents {
            throw CallFailure(report.kindInStream, report.detail(status: nil, key: endpoint.key))
        }
        if reply.reader.isRefusal { throw CallFailure(.refused, "the model refused to answer") }
        guard reply.reader.isComplete || reply.reader.mayEndHere else {
            guard reply.hasBytes else { throw CallFailure(.emptyReply, "a reply without a body") }
            guard isEventStream else { throw CallFailure(.malformedReply, "not an event stream") }
            throw CallFailure(.cut, "the stream ended before the answer did")
        }
        guard !reply.sanitizer.content.allSatisfy(\.isWhitespace) else {
            throw CallFailure(.emptyReply, "an answer without text")
        }
        return Answer(
            content: reply.sanitizer.content, provider: endpoint.provider, model: model, usage: usage(reply),
            truncated: reply.sanitizer.isTruncated || reply.reader.reachedTokenLimit)
    }

    /// The failure with the tokens that were spent on it, and without the key.
    private func paid(_ failure: CallFailure, _ reply: Reply) -> CallFailure {
        let detail = ErrorReport(code: "", message: failure.detail).detail(status: nil, key: endpoint.key)
        let spent = reply.reader.inputTokens != nil || reply.clock.hasToken ? usage(reply) : Usage()
        let counted = CallFailure(
            failure.kind, detail, retryAfterMilliseconds: failure.retryAfterMilliseconds, usage: spent,
            wasSent: failure.wasSent)
        return Self.breaksOff(failure.kind) && !reply.reader.isComplete ? unknown(counted, spent) : counted
    }

    /// Whether a call that ended so ended without the provider's last word, its count of tokens included.
    private static func breaksOff(_ kind: CallFailure.Kind) -> Bool {
        switch kind {
        case .firstTokenTimeout, .idleTimeout, .totalTimeout, .cut, .malformedReply, .emptyReply, .cancelled: true
        default: false
        }
    }

    /// Nobody knows what it cost: it costs what was reserved for it (design §2.1).
    private func unknown(_ failure: CallFailure, _ seen: Usage) -> CallFailure {
        let worst = PriceBook.worstCost(
            provider: endpoint.provider, model: model, prompt: PromptBuilder.prompt(for: request.call),
            maxTokens: endpoint.maxTokens)
        return CallFailure(
            failure.kind, failure.detail, retryAfterMilliseconds: failure.retryAfterMilliseconds,
            usage: Usage(
                inputTokens: seen.inputTokens, outputTokens: seen.outputTokens, cost: max(seen.cost, worst),
                isPriceAssumed: !PriceBook.knows(provider: endpoint.provider, model: model)),
            wasSent: failure.wasSent, isPaymentUnknown: true)
    }

    /// The provider's count; where it gives none, an estimate of four bytes a token.
    private func usage(_ reply: Reply) -> Usage {
        let input = reply.reader.inputTokens ?? (reply.promptBytes + 3) / 4
        let seen = (reply.sanitizer.content.utf8.count + 3) / 4
        // A count that came before the end is of what was said by then.
        let isWhole = reply.reader.isComplete || reply.reader.mayEndHere
        let output = isWhole ? reply.reader.outputTokens ?? seen : max(reply.reader.outputTokens ?? 0, seen)
        return Usage(
            inputTokens: input, outputTokens: output,
            cost: PriceBook.cost(provider: endpoint.provider, model: model, inputTokens: input, outputTokens: output),
            isPriceAssumed: !PriceBook.knows(provider: endpoint.provider, model: model))
    }

    // MARK: What is no answer

    private func refusal(_ response: HTTPClientResponse) async -> CallFailure {
        var body: [UInt8] = []
        do {
            while body.count < Self.maxErrorBytes, let piece = try await response.body.next(timeout: Self.errorBodyTime)
            {
                body.append(contentsOf: piece)
            }
        } catch {
            if error.code == .cancelled { return Self.failure(error, hasToken: false) }
            // The status alone says enough.
        }
        let report =
            (try? JSONParser.parse(body)).flatMap { ErrorReport(json: $0) }
            ?? ErrorReport(code: "", message: AnswerSanitizer.text(body.prefix(ErrorReport.maxMessageCharacters)))
        return CallFailure(
            report.kind(status: response.status), report.detail(status: response.status, key: endpoint.key),
            retryAfterMilliseconds: RetryAfter.milliseconds(response.headers, now: WallClock.nowMilliseconds())
                ?? report.retryDelayMilliseconds)
    }

    static func failure(_ error: HTTPClientError, hasToken: Bool) -> CallFailure {
        let kind: CallFailure.Kind =
            switch error.code {
            case .connect, .connectTimeout, .addressRefused, .tls: .connect
            case .firstByteTimeout: .firstTokenTimeout
            case .idleTimeout: hasToken ? .idleTimeout : .firstTokenTimeout
            case .totalTimeout: .totalTimeout
            case .cut: .cut
            case .tooLarge, .protocolViolation: .malformedReply
            case .cancelled: .cancelled
            case .busy: .overloaded
            case .invalidRequest: .badRequest
            }
        return CallFailure(kind, error.message, wasSent: error.wasSent)
    }

    private static func isEventStream(_ response: HTTPClientResponse) -> Bool {
        response.headers["content-type"]?.lowercased().hasPrefix("text/event-stream") == true
    }

    /// Text as one segment of a path: everything but unreserved characters (RFC 3986 §2.3) is percent-encoded.
    static func pathSafe(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(
            decoding: text.utf8.flatMap { byte -> [UInt8] in
                let isLetterOrDigit =
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                return isLetterOrDigit || "-._~".utf8.contains(byte)
                    ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }, as: UTF8.self)
    }

    /// Agents' names may be in any script: what is not visible ASCII is percent-encoded.
    static func headerSafe(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "%") {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
