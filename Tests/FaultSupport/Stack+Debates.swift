package import Contracts
package import Domain
package import HTTPClient
import Platform
import PostgresClient
import Storage

/// What a client does with the stack over HTTP.
extension Stack {
    package struct Answer: Sendable {
        package let status: Int
        package let body: JSONValue
        package let headers: HTTPClientHeaders
        package init(status: Int, body: JSONValue, headers: HTTPClientHeaders) {
            self.status = status
            self.body = body
            self.headers = headers
        }

        /// The body as text, for messages.
        package var text: String { String(decoding: body.bytes, as: UTF8.self) }
    }

    package struct Asked: Sendable {
        package var question: String
        package var rounds: Int
        package var agents: [JSONValue]
        package var key: String?
        package var timeoutSeconds: Int

        package init(
            question: String = "Should a three-person startup use Postgres or MongoDB?", rounds: Int = 2,
            agents: [JSONValue] = ["demo", "demo", "demo"], key: String? = nil, timeoutSeconds: Int = 600
        ) {
            self.question = question
            self.rounds = rounds
            self.agents = agents
            self.key = key
            self.timeoutSeconds = timeoutSeconds
        }

        package var body: [UInt8] {
            let value: JSONValue = [
                "question": .string(question), "rounds": .int(Int64(rounds)), "agents": .array(agents),
                "timeout_seconds": .int(Int64(timeoutSeconds)),
            ]
            return value.bytes
        }
    }

    /// One request to an api.
    package func send(
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

    package func get(_ path: String, to member: Member = .api(1)) async throws -> Answer {
        try await send("GET", path, to: member)
    }

    /// One create request.
    package func ask(
        _ asked: Asked = Asked(), to member: Member = .api(1), within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        try await send(
            "POST", "/api/v1/debates", body: asked.body, headers: asked.key.map { [("Idempotency-Key", $0)] } ?? [],
            to: member, within: limit)
    }

    /// Creates a debate.
    package func create(_ asked: Asked = Asked(), to member: Member = .api(1)) async throws -> DebateID {
        let answer = try await ask(asked, to: member)
        guard answer.status == 200, let id = answer.body["debate_id"]?.string.flatMap({ DebateID($0) }) else {
            throw Late(description: "create answered \(answer.status) \(answer.text)")
        }
        return id
    }

    /// Creates a debate as a client does that has a key and does not give up.
    package func createPersistently(_ asked: Asked, to member: Member = .api(1)) async throws -> DebateID {
        var created: DebateID?
        try await eventually("a create with the key \(asked.key ?? "none") is answered") {
            created = try? await self.create(asked, to: member)
            return created != nil
        }
        guard let created else { throw Late(description: "no debate") }
        return created
    }

    /// Does something to a debate: `cancel`, `pause`, `resume`.
    package func act(
        _ verb: String, on debate: DebateID, body: [UInt8] = [], to member: Member = .api(1),
        within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        try await send("POST", "/api/v1/debates/\(debate)/\(verb)", body: body, to: member, within: limit)
    }

    /// Says something in a debate.
    package func remark(
        _ text: String, on debate: DebateID, within limit: Duration = .seconds(20)
    ) async throws -> Answer {
        let body: JSONValue = ["content": .string(text)]
        return try await act("messages", on: debate, body: body.bytes, within: limit)
    }

    // MARK: What Postgres says

    /// The row of a debate's run.
    package struct Run: Sendable {
        package let status: DebateStatus
        package let tail: LogTail
        package let owner: String?
        package let epoch: Int64
        package let attempts: Int
    }

    package func run(of debate: DebateID) async throws -> Run {
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
    package func awaitRun(_ debate: DebateID, _ what: String, _ wanted: (Run) -> Bool) async throws -> Run {
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
    package func awaitEnd(_ debate: DebateID) async throws -> Run {
        try await awaitRun(debate, "ends") { $0.status.isTerminal }
    }

    /// Waits until a worker holds the debate.
    package func awaitClaim(_ debate: DebateID) async throws {
        try await awaitRun(debate, "is claimed") { $0.epoch > 0 || $0.status.isTerminal }
    }

    /// Waits until the log has this many events.
    package func awaitEvents(_ count: Int64, of debate: DebateID) async throws {
        try await awaitRun(debate, "has \(count) events") { $0.tail.seq >= count || $0.status.isTerminal }
    }
}
