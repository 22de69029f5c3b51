import Domain
import HTTPClient
import Platform
import Providers
import TestSupport
import Testing

/// Each way a stream can go wrong, through real sockets.
@Suite("Provider streams")
struct StreamFaultTests {
    static let providers: [ProviderKey] = [.anthropic, .openai, .gemini]

    static func start(_ provider: ProviderKey) -> [ScriptedServer.Step] {
        provider == .anthropic ? Wire.anthropicStart : [.chunkedHead()]
    }
    static func text(_ provider: ProviderKey, _ text: String) -> ScriptedServer.Step {
        switch provider {
        case .anthropic: Wire.anthropicText(text)
        case .gemini: Wire.geminiText(text)
        default: Wire.openAIText(text)
        }
    }
    static func end(_ provider: ProviderKey, _ reason: String? = nil) -> [ScriptedServer.Step] {
        switch provider {
        case .anthropic: Wire.anthropicEnd(reason ?? "end_turn")
        case .gemini: Wire.geminiEnd(reason ?? "STOP")
        default: Wire.openAIEnd(reason ?? "stop")
        }
    }

    static func failure(_ outcome: CallOutcome) -> CallFailure? {
        if case .failed(let failure) = outcome { failure } else { nil }
    }

    static func answer(_ outcome: CallOutcome) -> Answer? {
        if case .answered(let answer) = outcome { answer } else { nil }
    }

    @Test("an answer has its text, model and tokens, and its pieces come one by one", arguments: providers)
    func answered(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [Self.text(provider, "Use "), Self.text(provider, "Postgres.")] + Self.end(provider)
        }
        let pieces = Lock([String]())
        let outcome = await bench.call { text in pieces.withLock { $0.append(text) } }
        let answer = try #require(Self.answer(outcome), "\(outcome)")
        #expect(answer.content == "Use Postgres.")
        #expect(pieces.withLock { $0 } == ["Use ", "Postgres."])
        #expect(answer.model == "model-1" && answer.provider == provider && !answer.truncated)
        #expect(answer.usage.inputTokens == ([.anthropic: 42, .gemini: 41][provider] ?? 40))
        #expect(answer.usage.outputTokens == (provider == .anthropic ? 9 : 8))
        #expect(answer.usage.cost > .zero)
        await bench.stop()
    }

    @Test("a request carries key, version, idempotency key and prompt", arguments: providers)
    func request(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [Self.text(provider, "x")] + Self.end(provider)
        }
        let call = Calls.planned(agent: "Zoë 1", provider: provider, model: "other-model")
        _ = await bench.call(Calls.request(call, attempt: 3))
        let sent = try #require(bench.server.requests.first)
        #expect(sent.header("idempotency-key") == "\(Calls.debate):r1/propose/Zo%C3%AB%201:3")
        #expect(sent.header("x-aragora-call-key") == "\(Calls.debate):r1/propose/Zo%C3%AB%201")
        let body = String(decoding: sent.body, as: UTF8.self)
        if provider == .gemini {
            #expect(sent.head.hasPrefix("POST /v1beta/models/other-model:streamGenerateContent?alt=sse "))
            #expect(sent.header("x-goog-api-key") == ProviderBench.secret)
            #expect(body.contains(#""systemInstruction""#) && body.contains(#""maxOutputTokens":500"#))
        } else {
            #expect(body.contains(#""model":"other-model""#) && body.contains(#""stream":true"#))
        }
        // Current versions of the Anthropic API refuse sampling parameters.
        #expect(!body.contains("temperature") && !body.contains("top_p"))
        if provider == .anthropic {
            #expect(sent.head.hasPrefix("POST /v1/messages "))
            #expect(sent.header("x-api-key") == ProviderBench.secret)
            #expect(sent.header("anthropic-version") == "2026-10-21")
        } else if provider == .openai {
            #expect(sent.head.hasPrefix("POST /v1/chat/completions "))
            #expect(sent.header("authorization") == "Bearer \(ProviderBench.secret)")
            #expect(body.contains(#""include_usage":true"#))
        }
        await bench.stop()
    }

    @Test("calls that follow each other share a connection", arguments: providers)
    func reuse(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [Self.text(provider, "x")] + Self.end(provider)
        }
        for _ in 0..<10 { #expect(Self.answer(await bench.call()) != nil) }
        #expect(bench.server.connectionCount == 1)
        await bench.stop()
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: CallFailure.Kind
        let steps: @Sendable (ProviderKey) -> [ScriptedServer.Step]
    }

    static let broken: [Broken] = [
        Broken(testDescription: "an empty 200", kind: .emptyReply) { _ in [.response("200 OK")] },
        Broken(testDescription: "an empty stream", kind: .emptyReply) { _ in [.chunkedHead(), .lastChunk] },
        Broken(testDescription: "an answer without text", kind: .emptyReply) { start($0) + end($0) },
        Broken(testDescription: "an answer of blanks", kind: .emptyReply) { start($0) + [text($0, "  ")] + end($0) },
        Broken(testDescription: "closed in the middle", kind: .cut) { start($0) + [text($0, "half"), .close] },
        Broken(testDescription: "ended in the middle", kind: .cut) { start($0) + [text($0, "half"), .lastChunk] },
        Broken(testDescription: "closed before the head", kind: .cut) { _ in [.close] },
        Broken(testDescription: "an event that is not JSON", kind: .malformedReply) {
            start($0) + [text($0, "half"), Wire.event("content_block_delta", #"{"broken"#)]
        },
        Broken(testDescription: "a chunk size that is no number", kind: .malformedReply) {
            start($0) + [text($0, "half"), .send("zz\r\n\r\n"), .close]
        },
        Broken(testDescription: "a web page", kind: .malformedReply) { _ in
            [.response("200 OK", headers: "Content-Type: text/html\r\n", body: "<html>hello</html>")]
        },
        Broken(testDescription: "an error in the stream", kind: .overloaded) {
            start($0) + [
                text($0, "half"),
                Wire.event("error", #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            ]
        },
        Broken(testDescription: "an unknown error in the stream", kind: .server) {
            start($0) + [Wire.event("error", #"{"type":"error","error":{"type":"novel_error","message":"?"}}"#)]
        },
        Broken(testDescription: "a numbered error in the stream", kind: .rateLimited) {
            start($0) + [Wire.event("error", #"{"type":"error","error":{"code":429,"message":"slow down"}}"#)]
        },
        Broken(testDescription: "an error in plain JSON with status 200", kind: .quota) { _ in
            [
                .response(
                    "200 OK", headers: "Content-Type: application/json\r\n",
                    body: #"{"error":{"code":402,"message":"Insufficient credits"}}"#)
            ]
        },
        Broken(testDescription: "a refusal", kind: .refused) {
            start($0) + [text($0, "No.")] + end($0, [.anthropic: "refusal", .gemini: "SAFETY"][$0] ?? "content_filter")
        },
    ]

    @Test("each broken stream has its outcome", arguments: broken, providers)
    func fault(_ broken: Broken, _ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in broken.steps(provider) }
        let outcome = await bench.call()
        let failure = try #require(Self.failure(outcome), "\(outcome)")
        #expect(failure.kind == broken.kind, "\(failure)")
        #expect(failure.wasSent)
        await bench.stop()
    }

    @Test("tokens spent on a failed answer are counted", arguments: providers)
    func paidFailure(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [Self.text(provider, "half an answer"), .close]
        }
        let failure = try #require(Self.failure(await bench.call()))
        #expect(failure.usage.inputTokens > 0 && failure.usage.cost > .zero)
        await bench.stop()
    }

    @Test("an answer that ends at its token limit is marked", arguments: providers)
    func tokenLimit(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [Self.text(provider, "long")]
                + Self.end(provider, [.anthropic: "max_tokens", .gemini: "MAX_TOKENS"][provider] ?? "length")
        }
        #expect(Self.answer(await bench.call())?.truncated == true)
        await bench.stop()
    }

    @Test(
        "a stall is told apart: before the first token, between tokens, and behind pings",
        arguments: [
            ([ScriptedServer.Step.wait], CallFailure.Kind.firstTokenTimeout),
            (Wire.anthropicStart + [.wait], .firstTokenTimeout),
            (Wire.anthropicStart + [Wire.anthropicText("x"), .wait], .idleTimeout),
            (
                Wire.anthropicStart + [Wire.anthropicText("x"), Wire.event("ping", #"{"type":"ping"}"#), .wait],
                .idleTimeout
            ),
        ])
    func stalls(_ steps: [ScriptedServer.Step], _ kind: CallFailure.Kind) async throws {
        let deadlines =
            kind == .idleTimeout
            ? CallDeadlines(idle: .milliseconds(40)) : CallDeadlines(firstToken: .milliseconds(40))
        let bench = try ProviderBench(.anthropic, deadlines: deadlines) { _ in steps }
        #expect(Self.failure(await bench.call())?.kind == kind)
        await bench.stop()
    }

    @Test(
        "thinking is no stall and no text",
        arguments: [
            (
                ProviderKey.anthropic,
                Wire.event(
                    "content_block_delta",
                    #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#)
            ),
            (.openai, Wire.data(#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}"#)),
        ])
    func thinking(_ provider: ProviderKey, _ thought: ScriptedServer.Step) async throws {
        // With a token seen it is the idle clock that ends the call, not the first token's.
        let bench = try ProviderBench(provider, deadlines: CallDeadlines(idle: .milliseconds(40))) { request in
            Self.start(provider) + [thought]
                + (request.index == 0 ? [.wait] : [Self.text(provider, "x")] + Self.end(provider))
        }
        #expect(Self.failure(await bench.call())?.kind == .idleTimeout)
        #expect(Self.answer(await bench.call())?.content == "x")
        await bench.stop()
    }

    @Test("the total clock ends a call that still makes progress", arguments: providers)
    func total(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider, deadlines: CallDeadlines(total: .milliseconds(50))) { _ in
            Self.start(provider) + [Self.text(provider, "x"), .wait]
        }
        #expect(Self.failure(await bench.call())?.kind == .totalTimeout)
        await bench.stop()
    }

    @Test("cancelling the task ends the call and the connection", arguments: providers)
    func cancellation(_ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in Self.start(provider) + [Self.text(provider, "x"), .wait] }
        let first = AsyncStream<Void>.makeStream()
        let call = Task { await bench.call { _ in first.continuation.yield() } }
        for await _ in first.stream { break }
        let client = bench.client
        let other = Task(executorPreference: bench.loops[1]) {
            await client.call(
                Calls.request(Calls.planned(provider: provider)), tokens: { _ in first.continuation.yield() })
        }
        for await _ in first.stream { break }
        other.cancel()
        #expect(Self.failure(await other.value)?.kind == .cancelled)
        for await event in bench.server.events where event == "closed" { break }
        await bench.http.close()
        #expect(Self.failure(await call.value)?.kind == .cancelled)
        await bench.stop()
    }

    @Test("control characters are removed and long answers cut, on their way and at the end", arguments: providers)
    func sanitized(_ provider: ProviderKey) async throws {
        let long = String(repeating: "é", count: 8000)
        let bench = try ProviderBench(provider) { _ in
            Self.start(provider) + [
                Self.text(provider, #"a\u001b[2Jb\u0000"#), Self.text(provider, long), Self.text(provider, long),
            ]
                + Self.end(provider)
        }
        let seen = Lock("")
        let answer = try #require(Self.answer(await bench.call { text in seen.withLock { $0 += text } }))
        #expect(answer.content.hasPrefix("a[2Jb"))
        #expect(answer.truncated && answer.content.utf8.count <= Answer.maxContentBytes)
        #expect(answer.content.utf8.count > Answer.maxContentBytes - 4)
        #expect(seen.withLock { $0 } == answer.content)
        await bench.stop()
    }
}
