import Contracts
import Crypto
import Domain
import HTTP
import HTTPClient
import Platform
import Sockets

/// The HTTP API of a running stack, as a user's program calls it.
struct APIClient: Sendable {
    /// Sends of one request, the first included: only when it surely was not taken, or when asked to come back.
    static let maxTries = 5
    static let deadlines = Deadlines(
        connect: .seconds(5), firstByte: .seconds(30), idle: .seconds(30), total: .seconds(60))
    /// The longest `Retry-After` that is waited for.
    static let maxWaitSeconds = 60

    let base: String
    private let token: Secret<String>?
    private let http: HTTPClient

    init(base: String, token: Secret<String>?, caFile: String?, loop: EventLoop) {
        self.base = base
        self.token = token
        var configuration = HTTPClientConfiguration()
        configuration.caFile = caFile
        configuration.userAgent = "aragora-cli/\(BuildInfo.productVersion)"
        http = HTTPClient(loop: loop, configuration: configuration)
    }

    func close() async { await http.close() }

    /// Creates a debate. Sent again under the same key, it is still one debate.
    func create(question: String, rounds: Int?, agents: [String]) async throws -> ClientForms.Created {
        let key = Hex.encode(try RandomBytes.make(16))
        let body = ClientForms.create(question: question, rounds: rounds, agents: agents)
        return try ClientForms.Created(
            try await send("POST", "/api/v1/debates", body: body, headers: ["Idempotency-Key": key]))
    }

    /// What a debate would cost, as the server answered.
    func estimate(question: String, rounds: Int?, agents: [String]) async throws -> [UInt8] {
        try await send(
            "POST", "/api/v1/debates/estimate",
            body: ClientForms.create(question: question, rounds: rounds, agents: agents))
    }

    /// The bytes of a debate's receipt as they were signed.
    func receipt(of debate: DebateID) async throws -> [UInt8] {
        try await send("GET", "/api/v1/debates/\(debate.text)/receipt")
    }

    /// What the server itself says of a receipt, for clients that hold no key.
    func verify(_ receipt: ReceiptID) async throws -> (isIntact: Bool, signature: (isValid: Bool, keyID: String?)) {
        let integrity = try await send("POST", "/api/v2/receipts/\(receipt.text)/verify")
        let signature = try await send("POST", "/api/v2/receipts/\(receipt.text)/verify-signature")
        return (try ClientForms.isIntact(integrity), try ClientForms.signature(signature))
    }

    /// What the API says of budgets, below `/api/v1/budgets`. Only what may be sent twice: a second set finds the first.
    func budgets(_ method: String, _ path: String = "", body: [UInt8] = []) async throws -> [UInt8] {
        try await send(method, "/api/v1/budgets\(path)", body: body)
    }

    /// One page of the messages that were given up, as the API answers it.
    func deadLetters(limit: Int, offset: Int = 0) async throws -> [UInt8] {
        try await send("GET", "/api/v1/webhooks/dead-letter?limit=\(limit)&offset=\(offset)")
    }

    /// Sends a message that was given up again.
    /// - Returns: false when there is none of this id, or none any more.
    func retry(_ message: String) async throws -> Bool {
        let reply = try await exchange(
            "POST", "/api/v1/webhooks/dead-letter/\(PercentCoding.encode(message))/retry")
        if reply.status == 404 { return false }
        _ = try body(of: reply)
        return true
    }

    /// The debates that were given up, as the API answers it.
    func deadJobs(limit: Int) async throws -> [UInt8] { try await send("GET", "/api/v1/queue/dlq?limit=\(limit)") }

    /// Asks for them again; nil means all that one answer lists. What is asked for twice is skipped the second time.
    func requeue(_ jobs: [String]?) async throws -> [UInt8] {
        try await send("POST", "/api/v1/queue/dlq/requeue", body: jobs.map(ClientForms.requeue) ?? [])
    }

    private func send(
        _ method: String, _ path: String, body: [UInt8] = [], headers: [String: String] = [:]
    ) async throws -> [UInt8] {
        try self.body(of: try await exchange(method, path, body: body, headers: headers))
    }

    private func body(of reply: HTTPClientReply) throws -> [UInt8] {
        guard (200...299).contains(reply.status) else { throw failure(.success(reply)) }
        return reply.body
    }

    /// - Returns: the last answer, whatever it says.
    private func exchange(
        _ method: String, _ path: String, body: [UInt8] = [], headers: [String: String] = [:]
    ) async throws -> HTTPClientReply {
        var request = HTTPClientRequest(method: method, url: base + path, body: body)
        request.headers.append("Content-Type", "application/json")
        request.headers.append("Accept", "application/json")
        if let token { request.headers.append("Authorization", "Bearer \(token.reveal())") }
        for (name, value) in headers { request.headers.append(name, value) }
        var backoff = Backoff(first: .milliseconds(200), cap: .seconds(5))
        for number in 1... {
            let outcome = await attempt(request)
            guard let wait = Self.pause(outcome, &backoff), number < Self.maxTries else {
                if case .success(let reply) = outcome { return reply }
                throw failure(outcome)
            }
            try await http.loop.sleep(for: wait)
        }
        throw CommandFailure(.unavailable, "\(base) does not answer")
    }

    private func attempt(_ request: HTTPClientRequest) async -> Result<HTTPClientReply, HTTPClientError> {
        do throws(HTTPClientError) {
            return .success(try await http.send(request, deadlines: Self.deadlines))
        } catch {
            return .failure(error)
        }
    }

    /// How long until the next try; nil when there is no use in one. Every request here may be sent twice: reads,
    /// verifications, and a create under its key.
    private static func pause(
        _ outcome: Result<HTTPClientReply, HTTPClientError>, _ backoff: inout Backoff
    ) -> Duration? {
        switch outcome {
        case .failure(let error): return error.code == .cancelled ? nil : backoff.next()
        case .success(let reply):
            guard reply.status == 429 || reply.status == 503 else { return nil }
            let seconds = reply.headers["Retry-After"].flatMap { Int($0) } ?? 1
            return seconds <= maxWaitSeconds ? .seconds(max(1, seconds)) : nil
        }
    }

    private func failure(_ outcome: Result<HTTPClientReply, HTTPClientError>) -> CommandFailure {
        switch outcome {
        case .failure(let error): return CommandFailure(.unavailable, "\(base) does not answer: \(error.message)")
        case .success(let reply):
            let words = ClientForms.problem(in: reply.body) ?? "HTTP \(reply.status)"
            let code: ExitCode = reply.status >= 500 || reply.status == 429 ? .unavailable : .failed
            return CommandFailure(code, "the API refused: \(words)")
        }
    }
}
