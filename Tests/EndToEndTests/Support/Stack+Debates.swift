import Contracts
import Domain
import HTTPClient
import Platform
import PostgresClient
import Storage

/// What a client does with the stack over HTTP.
extension Stack {
    struct Answer: Sendable {
        let status: Int
        let body: JSONValue
        let headers: HTTPClientHeaders
        /// The body as text, for messages.
        var text: String { String(decoding: body.bytes, as: UTF8.self) }
    }

    struct Asked: Sendable {
        var question = "Should a three-person startup use Postgres or MongoDB?"
        var rounds = 2
        var agents: [JSONValue] = ["demo", "demo", "demo"]
        var key: String?
        var timeoutSeconds = 600

        var body: [UInt8] {
            let value: JSONValue = [
                "question": .string(question), "rounds": .int(Int64(rounds)), "agents": .array(agents),
                "timeout_seconds": .int(Int64(timeoutSeconds)),
            ]
            return value.bytes
        }
    }

    /// One request to an api.
    func send(
        _ method: String, _ path: String, body: [UInt8] = [], headers: [(String, String)] = [],
        to member: Member = .api(1), within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        var fields: HTTPClientHeaders = ["Authorization": "Bearer \(Self.token)", "Content-Type": "application/json"]
        for (name, value) in headers { fields.append(name, value) }
        let url = "http://127.0.0.1:\(ports(of: member).main)\(path)"
        let limits = Deadlines(connect: .seconds(5), firstByte: limit, idle: limit, total: limit)
        let reply = try await http.send(
            HTTPClientRequest(method: method, url: url, headers: fields, body: body), deadlines: limits)
        let value = (try? JSONParser.parse(reply.body, maximumBytes: 16 << 20)) ?? .null
        return Answer(status: reply.status, body: value, headers: reply.headers)
    }

    func get(_ path: String, to member: Member = .api(1)) async throws -> Answer {
        try await send("GET", path, to: member)
    }

    /// One create request.
    func ask(
        _ asked: Asked = Asked(), to member: Member = .api(1), within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        try await send(
            "POST", "/api/v1/debates", body: asked.body, headers: asked.key.map { [("Idempotency-Key", $0)] } ?? [],
            to: member, within: limit)
    }

    /// Creates a debate.
    func create(_ asked: Asked = Asked(), to member: Member = .api(1)) async throws -> DebateID {
        let answer = try await ask(asked, to: member)
        guard answer.status == 200, let id = answer.body["debate_id"]?.string.flatMap({ DebateID($0) }) else {
            throw Late(description: "create answered \(answer.status) \(answer.text)")
        }
        return id
    }

    /// Creates a debate as a client does that has a key and does not give up.
    func createPersistently(_ asked: Asked, to member: Member = .api(1)) async throws -> DebateID {
        var created: DebateID?
        try await eventually("a create with the key \(asked.key ?? "none") is answered") {
            created = try? await self.create(asked, to: member)
            return created != nil
        }
        guard let created else { throw Late(description: "no debate") }
        return created
    }

    /// Does something to a debate: `cancel`, `pause`, `resume`.
    func act(
        _ verb: String, on debate: DebateID, body: [UInt8] = [], to member: Member = .api(1),
        within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        try await send("POST", "/api/v1/debates/\(debate)/\(verb)", body: body, to: member, within: limit)
    }

    /// Says something in a debate.
    func remark(
        _ text: String, on debate: DebateID, within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        let body: JSONValue = ["content": .string(text)]
        return try await act("messages", on: debate, body: body.bytes, within: limit)
    }

    // MARK: What Postgres says

    /// The row of a debate's run.
    struct Run: Sendable {
        let status: DebateStatus
        let tail: LogTail
        let owner: String?
        let epoch: Int64
        let attempts: Int
    }

    func run(of debate: DebateID) async throws -> Run {
        let rows = try await pool.query(
            """
            SELECT status, last_seq, last_hash, lease_owner, lease_epoch, attempts FROM debate_runs
            WHERE debate_id = \(debate.text)
            """)
        guard let row = rows.first, let status = DebateStatus(rawValue: try row.text("status")) else {
            throw Late(description: "no run of \(debate)")
        }
        return Run(
            status: status, tail: LogTail(seq: try row.int64("last_seq"), hash: try row.bytes("last_hash")),
            owner: try row.optionalText("lease_owner"), epoch: try row.int64("lease_epoch"),
            attempts: try row.int("attempts"))
    }

    /// Waits until a debate's row is as wanted.
    @discardableResult
    func awaitRun(_ debate: DebateID, _ what: String, _ wanted: (Run) -> Bool) async throws -> Run {
        var last: Run?
        do {
            try await eventually("\(debate): \(what)") {
                let now = try await self.run(of: debate)
                last = now
                return wanted(now)
            }
        } catch let late as Late {
            throw Late(description: "\(late.description); the run is \(last.map { "\($0)" } ?? "unknown")")
        }
        guard let last else { throw Late(description: "no run of \(debate)") }
        return last
    }

    /// Waits for the end of a debate.
    @discardableResult
    func awaitEnd(_ debate: DebateID) async throws -> Run {
        try await awaitRun(debate, "ends") { $0.status.isTerminal }
    }

    /// Waits until a worker holds the debate.
    func awaitClaim(_ debate: DebateID) async throws {
        try await awaitRun(debate, "is claimed") { $0.epoch > 0 || $0.status.isTerminal }
    }

    /// Waits until the log has this many events.
    func awaitEvents(_ count: Int64, of debate: DebateID) async throws {
        try await awaitRun(debate, "has \(count) events") { $0.tail.seq >= count || $0.status.isTerminal }
    }
}
