import Domain
import HTTPClient
import Platform
import Providers
import Sockets
import TestSupport
import Testing

/// Calls and providers that tests share.
enum Calls {
    static let debate = DebateID(milliseconds: 1_790_000_000_000, random: [UInt8](repeating: 7, count: 10))

    static func planned(
        _ phase: DebatePhase = .propose, agent: String = "claude-1", provider: ProviderKey = .anthropic,
        model: String = "claude-sonnet-4-5", round: Int = 1, topic: String = "Use Postgres or MongoDB?",
        own: String? = nil,
        others: [PlannedCall.Contribution] = []
    ) -> PlannedCall {
        let target = phase == .critique ? others.first?.agent : nil
        return PlannedCall(
            key: CallKey(round: round, phase: phase, agent: agent, target: target),
            agent: AgentSpec(name: agent, provider: provider, model: model), phase: phase, round: round, totalRounds: 3,
            material: .init(topic: topic, context: nil, remarks: [], own: own, others: others))
    }

    static func request(_ call: PlannedCall = planned(), attempt: Int = 1, debate: DebateID = debate) -> CallRequest {
        CallRequest(debate: debate, call: call, attempt: attempt, epoch: 1)
    }

    static func ignore(_ text: String) {}
}

/// A scripted server and a provider that calls it.
struct ProviderBench {
    static let secret = "sk-test-0123456789-secret"

    let loops: [EventLoop]
    let server: ScriptedServer
    let http: HTTPClient
    let endpoint: ProviderEndpoint

    init(
        _ provider: ProviderKey, deadlines: CallDeadlines = CallDeadlines(), script: @escaping ScriptedServer.Script
    ) throws {
        loops = try EventLoop.group(count: 2, name: "provider")
        server = try ScriptedServer(loop: loops[0], script: script)
        var configuration = HTTPClientConfiguration()
        configuration.usesEnvironmentProxy = false
        http = HTTPClient(loop: loops[1], configuration: configuration)
        endpoint = ProviderEndpoint(
            provider: provider, baseURL: try #require(BaseURL(server.url)), key: Secret(Self.secret), model: "model-1",
            maxTokens: 500, deadlines: deadlines)
    }

    var client: any ModelClient { StreamedProvider(endpoint: endpoint, http: http) }

    /// Makes one call on the client's loop.
    func call(
        _ request: CallRequest? = nil, tokens: @escaping TokenSink = Calls.ignore
    ) async -> CallOutcome {
        let request = request ?? Calls.request(Calls.planned(provider: endpoint.provider, model: ""))
        let client = client
        return await Task(executorPreference: loops[1]) { await client.call(request, tokens: tokens) }.value
    }

    func stop() async {
        await http.close()
        for loop in loops { loop.stop() }
    }
}

/// What providers send.
enum Wire {
    static func event(_ name: String, _ data: String) -> ScriptedServer.Step {
        .chunk("event: \(name)\ndata: \(data)\n\n")
    }
    static func data(_ data: String) -> ScriptedServer.Step { .chunk("data: \(data)\n\n") }

    static let anthropicStart: [ScriptedServer.Step] = [
        .chunkedHead(),
        event(
            "message_start",
            #"{"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[],"usage":{"input_tokens":30,"cache_read_input_tokens":12,"output_tokens":1}}}"#
        ),
        event(
            "content_block_start",
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        event("ping", #"{"type":"ping"}"#),
    ]

    static func anthropicText(_ text: String) -> ScriptedServer.Step {
        event(
            "content_block_delta",
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#)
    }

    static func anthropicEnd(_ reason: String = "end_turn") -> [ScriptedServer.Step] {
        [
            event("content_block_stop", #"{"type":"content_block_stop","index":0}"#),
            event(
                "message_delta",
                #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":{"output_tokens":9}}"#
            ),
            event("message_stop", #"{"type":"message_stop"}"#), .lastChunk,
        ]
    }

    static func openAIText(_ text: String) -> ScriptedServer.Step {
        data(
            #"{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#
        )
    }

    static func openAIEnd(_ reason: String = "stop") -> [ScriptedServer.Step] {
        [
            data(#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"\#(reason)"}]}"#),
            data(#"{"id":"c","choices":[],"usage":{"prompt_tokens":40,"completion_tokens":8,"total_tokens":48}}"#),
            data("[DONE]"), .lastChunk,
        ]
    }

    static func geminiText(_ text: String) -> ScriptedServer.Step {
        data(
            #"{"candidates":[{"content":{"role":"model","parts":[{"text":"\#(text)"}]},"index":0}],"usageMetadata":{"promptTokenCount":41}}"#
        )
    }

    static func geminiEnd(_ reason: String = "STOP") -> [ScriptedServer.Step] {
        [
            data(
                #"{"candidates":[{"finishReason":"\#(reason)","index":0}],"usageMetadata":{"promptTokenCount":41,"candidatesTokenCount":5,"thoughtsTokenCount":3}}"#
            ), .lastChunk,
        ]
    }
}
