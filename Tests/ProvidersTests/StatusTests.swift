import Domain
import Platform
import Providers
import TestSupport
import Testing

@Suite("Provider statuses")
struct StatusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let status: String
        var headers = ""
        var body = ""
        let kind: CallFailure.Kind
        var retryAfter: Int64?
        var testDescription: String { "\(status) \(headers.prefix(30))\(body.prefix(60))" }
    }

    static let cases = [
        Case(
            status: "401 Unauthorized", body: #"{"type":"error","error":{"type":"authentication_error"}}"#,
            kind: .authentication),
        Case(status: "403 Forbidden", kind: .authentication),
        Case(
            status: "400 Bad Request", body: #"{"error":{"type":"invalid_request_error","message":"no"}}"#,
            kind: .badRequest),
        Case(status: "404 Not Found", kind: .badRequest),
        Case(status: "402 Payment Required", kind: .quota),
        Case(status: "429 Too Many", headers: "Retry-After: 7\r\n", kind: .rateLimited, retryAfter: 7000),
        Case(
            status: "429 Too Many", headers: "retry-after-ms: 250\r\nRetry-After: 7\r\n", kind: .rateLimited,
            retryAfter: 250),
        Case(status: "429 Too Many", headers: "Retry-After: nonsense\r\n", kind: .rateLimited),
        Case(
            status: "429 Too Many", headers: "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", kind: .rateLimited,
            retryAfter: 0),
        Case(status: "429 Too Many", headers: "Retry-After: 99999999\r\n", kind: .rateLimited, retryAfter: 86_400_000),
        Case(status: "429 Too Many", body: #"{"error":{"code":"insufficient_quota","message":"plan"}}"#, kind: .quota),
        Case(
            status: "429 Too Many",
            body:
                #"{"type":"error","error":{"type":"rate_limit_error","message":"reworded","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            kind: .quota),
        Case(
            status: "429 Too Many",
            body:
                #"{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"ramp_limit_exceeded"}}}"#,
            kind: .rateLimited),
        Case(
            status: "429 Too Many",
            body:
                #"{"error":{"code":"rate_limit_exceeded","message":"Visit /account/billing to add a payment method."}}"#,
            kind: .rateLimited),
        Case(
            status: "400 Bad Request",
            body:
                #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            kind: .quota),
        Case(status: "500 Oops", kind: .server),
        Case(status: "408 Request Timeout", kind: .upstreamTimeout),
        Case(status: "504 Gateway Timeout", kind: .upstreamTimeout),
        Case(status: "524 A Timeout Occurred", kind: .upstreamTimeout),
        Case(
            status: "429 Too Many",
            body:
                #"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota.","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.5s"}]}}]"#,
            kind: .rateLimited, retryAfter: 2500),
        Case(status: "503 Unavailable", headers: "Retry-After: 1\r\n", kind: .overloaded, retryAfter: 1000),
        Case(status: "529 Overloaded", kind: .overloaded),
        Case(status: "302 Found", headers: "Location: http://elsewhere/\r\n", kind: .malformedReply),
    ]

    @Test("each status has its outcome", arguments: cases, StreamFaultTests.providers)
    func status(_ given: Case, _ provider: ProviderKey) async throws {
        let bench = try ProviderBench(provider) { _ in
            [.response(given.status, headers: given.headers, body: given.body)]
        }
        let failure = try #require(StreamFaultTests.failure(await bench.call()))
        #expect(failure.kind == given.kind, "\(failure)")
        #expect(failure.retryAfterMilliseconds == given.retryAfter)
        #expect(failure.wasSent)
        await bench.stop()
    }

    @Test("a key that the provider repeats is in no failure", arguments: StreamFaultTests.providers)
    func secret(_ provider: ProviderKey) async throws {
        let text = "Incorrect API key provided: \(ProviderBench.secret)."
        let bench = try ProviderBench(provider) { request in
            request.index == 0
                ? [
                    .response(
                        "401 Unauthorized", body: #"{"error":{"type":"authentication_error","message":"\#(text)"}}"#)
                ]
                : StreamFaultTests.start(provider)
                    + [
                        Wire.event(
                            "error", #"{"type":"error","error":{"type":"authentication_error","message":"\#(text)"}}"#)
                    ]
        }
        for _ in 0..<2 {
            let failure = try #require(StreamFaultTests.failure(await bench.call()))
            #expect(failure.kind == .authentication)
            #expect(failure.detail.contains("Incorrect API key"))
            #expect(!"\(failure)".contains(ProviderBench.secret))
        }
        #expect(!"\(bench.endpoint)".contains(ProviderBench.secret))
        await bench.stop()
    }

    @Test("nobody listening is a connect failure, and nothing was sent")
    func connect() async throws {
        let bench = try ProviderBench(.openai) { _ in [] }
        let endpoint = ProviderEndpoint(
            provider: .openai, baseURL: try #require(BaseURL("http://127.0.0.1:1/v1")), key: nil, model: "m")
        let client = StreamedProvider(endpoint: endpoint, http: bench.http)
        let failure = try #require(StreamFaultTests.failure(await client.call(Calls.request(), tokens: Calls.ignore)))
        #expect(failure.kind == .connect && !failure.wasSent)
        await bench.stop()
    }
}
