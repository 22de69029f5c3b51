import Contracts
import Crypto
import Domain
import Ledger
import Platform
import Testing

@testable import aragora

/// The client's side of a debate, without a server.
@Suite("Debate client")
struct DebateClientTests {
    @Test("what links is taken once and in order; what came before is passed over; what does not link is refused")
    func follows() throws {
        let log = try SampleLog()
        var followed = FollowedLog(debate: log.id)
        for envelope in log.envelopes { #expect(try followed.take(envelope).count == 1) }
        #expect(followed.events.map(\.hash) == log.events.map(\.hash))
        #expect(followed.verifier.hasEnded)
        // After a reconnection the server may send again what we have.
        #expect(try followed.take(log.envelopes[1]).isEmpty)
        #expect(followed.events.count == log.events.count)
    }

    @Test("a gap, a forged text and an event of another debate are no part of the log")
    func refuses() throws {
        let log = try SampleLog()
        var gap = FollowedLog(debate: log.id)
        _ = try gap.take(log.envelopes[0])
        #expect(throws: CommandFailure.self) { try gap.take(log.envelopes[2]) }

        var forged = FollowedLog(debate: log.id)
        _ = try forged.take(log.envelopes[0])
        let text = String(decoding: log.envelopes[1], as: UTF8.self)
        let other = text.split(separator: "Postgres").joined(separator: "MongoDB!")
        #expect(other != text)
        #expect(throws: CommandFailure.self) { try forged.take(Array(other.utf8)) }

        var foreign = FollowedLog(debate: try SampleLog().id)
        #expect(try foreign.take(log.envelopes[0]).isEmpty)
        #expect(foreign.events.isEmpty)
    }

    @Test("after a restore of the server's log everything begins again")
    func reset() throws {
        let log = try SampleLog()
        var followed = FollowedLog(debate: log.id)
        _ = try followed.take(log.envelopes[0])
        let warning = ServerMessage.warning(.logReset, message: "restored", debateID: log.id)
        _ = try followed.take(warning.encode(timestamp: "2026-01-02T03:04:05.678Z"))
        #expect(followed.events.isEmpty)
        _ = try followed.take(log.envelopes[0])
        #expect(followed.events.count == 1)
    }

    @Test("an error of the gateway ends the stream, a warning and a heartbeat do not")
    func messages() throws {
        let log = try SampleLog()
        var followed = FollowedLog(debate: log.id)
        let now = "2026-01-02T03:04:05.678Z"
        #expect(throws: CommandFailure.self) {
            try followed.take(
                ServerMessage.error(.permissionDenied, message: "no", debateID: log.id).encode(timestamp: now))
        }
        #expect(
            try followed.take(ServerMessage.heartbeat(serverTime: 1, subscriptions: 1).encode(timestamp: now)).isEmpty)
        let warned = try followed.take(
            ServerMessage.warning(.degraded, message: "slow", debateID: nil).encode(timestamp: now))
        #expect(warned.count == 1)
        #expect(throws: CommandFailure.self) { try followed.take(Array("{".utf8)) }
    }

    @Test("a debate is shown from question to receipt, without a control character of its models")
    func screen() throws {
        let log = try SampleLog()
        var screen = DebateScreen(console: .plain())
        let shown = log.events.flatMap { screen.lines(for: $0) }.joined(separator: "\n")
        for words in [
            "Postgres or MongoDB?", "Round 1 of 1", "demo-1 proposes", "Postgres, because", "Decision",
            "position of demo-1",
            "Dissent", "demo-2 preferred demo-2", "completed after 1 of 1 rounds", "$0.004200",
        ] { #expect(shown.contains(words), "\(words)") }
        #expect(!shown.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value) })
    }

    @Test("the brief form shows the decision and no turn")
    func brief() throws {
        let log = try SampleLog()
        var screen = DebateScreen(console: .plain(), isBrief: true)
        let shown = log.events.flatMap { screen.lines(for: $0) }.joined(separator: "\n")
        #expect(shown.contains("Decision"))
        #expect(!shown.contains("proposes"))
    }

    static let addresses: [(String, WebSocketAddress?)] = [
        ("ws://127.0.0.1:8765/ws", .init(host: "127.0.0.1", port: 8765, path: "/ws", usesTLS: false)),
        ("wss://aragora.example/live/ws", .init(host: "aragora.example", port: 443, path: "/live/ws", usesTLS: true)),
        ("ws://[::1]:9/ws", .init(host: "::1", port: 9, path: "/ws", usesTLS: false)),
        ("ws://host", .init(host: "host", port: 80, path: "/ws", usesTLS: false)),
        ("http://host/ws", nil), ("ws://", nil), ("ws://host:0/ws", nil), ("ws://host:99999/ws", nil),
        ("ws://u@h/ws", nil),
        ("ws://host/ws?x=1", nil), ("ws://ho st/ws", nil), ("ws://host/\r\nX: y", nil),
    ]

    @Test("a gateway's address is read into its parts, or refused", arguments: addresses)
    func address(text: String, expected: WebSocketAddress?) { #expect(WebSocketAddress(text) == expected) }

    @Test("saved events are read as lines, as an array and as the API's answer")
    func savedEvents() throws {
        let log = try SampleLog()
        let lines = log.envelopes.reduce(into: [UInt8]()) { $0 += $1 + [0x0A] }
        let list = Array("[".utf8) + log.envelopes.map { $0 }.joined(separator: Array(",".utf8)) + Array("]".utf8)
        let answer = Array("{\"total\":5,\"events\":".utf8) + list + Array("}".utf8)
        for bytes in [lines, list, answer] {
            #expect(try ClientForms.events(bytes).map(\.hash) == log.events.map(\.hash))
        }
    }
}

/// What an operator sets, and what the commands make of it.
@Suite("Command line settings")
struct CLISettingsTests {
    @Test("the gateway is behind the API unless it is named")
    func gateway() throws {
        let behind = CLISettings { ["ARAGORA_BASE_URL": "https://aragora.example/"][$0] }
        #expect(try behind.webSocketURL() == .init(host: "aragora.example", port: 443, path: "/ws", usesTLS: true))
        let named = CLISettings { ["ARAGORA_WS_URL": "ws://10.0.0.1:8765/ws"][$0] }
        #expect(try named.webSocketURL().host == "10.0.0.1")
    }

    @Test("a setting that is missing or wrong ends a command with code 78 and its name")
    func wrong() {
        for (name, read): (String, (CLISettings) throws -> Void) in [
            ("ARAGORA_POSTGRES_DSN", { _ = try $0.postgres() }), ("ARAGORA_BACKUP_DIR", { _ = try $0.backupFolder() }),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try read(CLISettings { _ in nil }) }
            #expect(failure?.code == .configuration)
            #expect(failure?.description.contains(name) == true)
        }
        let failure = #expect(throws: CommandFailure.self) {
            try CLISettings { ["ARAGORA_BASE_URL": "localhost:8080"][$0] }.baseURL()
        }
        #expect(failure?.code == .configuration)
    }

    static let words: [([String], String)] = [
        ([], "misunderstood"), (["--help"], "overview"), (["help"], "overview"), (["--version"], "version"),
        (["backup"], "misunderstood"), (["backup", "--help"], "overview"), (["backup", "list"], "command"),
        (["bakup"], "misunderstood"), (["db", "verfy"], "misunderstood"), (["demo", "--topic", "x"], "command"),
    ]

    @Test("a command line names a command, asks for help, or is told what it may have meant", arguments: words)
    func resolves(words: [String], kind: String) {
        let found =
            switch CommandTable.resolve(words) {
            case .command: "command"
            case .overview: "overview"
            case .version: "version"
            case .misunderstood: "misunderstood"
            }
        #expect(found == kind)
    }

    @Test("every command has help, a summary and a name of its own")
    func shapes() {
        #expect(Set(CommandTable.commands.map { $0.shape.name }).count == CommandTable.commands.count)
        for command in CommandTable.commands {
            #expect(command.shape.help.contains("Usage: aragora \(command.shape.name)"))
            #expect(command.shape.summary.hasSuffix("."))
        }
    }
}

extension Console {
    /// Collects nothing, colours nothing.
    static func plain() -> Console {
        Console(isInteractive: false, usesColour: false, width: 80, writeOut: { _ in }, writeError: { _ in })
    }
}

/// A short debate as the log has it.
struct SampleLog {
    let id: DebateID
    let events: [SealedEvent]
    let envelopes: [[UInt8]]

    init() throws {
        let id = DebateID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        let agents = (1...2).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }
        let spec = try DebateSpec(topic: "Postgres or MongoDB?", agents: agents, rounds: 1)
        let statement = Statement(
            agent: "demo-1", provider: .demo, model: "demo", role: .proposer, round: 1,
            content: "Postgres, because\u{1B}[2J it \u{9B}31mstays\r.", truncated: false, usage: Usage(),
            call: CallReference(key: CallKey(round: 1, phase: .propose, agent: "demo-1"), attempt: 1))
        let consensus = ConsensusResult(
            round: 1, mode: .majority, threshold: Ratio(0.6), reached: true, winner: "demo-1", finalAnswer: "Postgres.",
            agreement: Ratio(0.6667), confidence: Ratio(0.5), supporting: ["demo-1"],
            dissenting: [.init(agent: "demo-2", choice: "demo-2", reasoning: "Mine is better.")],
            convergence: Convergence(state: .unknown, similarity: .zero))
        let end = DebateEnd(
            status: .completed, reason: nil, result: "Postgres.", totalRounds: 1, roundsUsed: 1, consensusReached: true,
            confidence: Ratio(0.5), duration: Ratio(1.5), cost: MicroUSD(4200))
        var chain = EventChain(debateID: id)
        events = try chain.seal(
            [
                .debateStart(DebateStart(spec: spec, engineVersion: .current)), .agentMessage(statement),
                .roundStart(round: 1, totalRounds: 1), .consensus(consensus), .debateEnd(end),
            ], at: Timestamp(milliseconds: 1_790_000_000_000), epoch: 1)
        envelopes = events.map { EventEnvelope.encode($0, debateID: id) }
        self.id = id
    }
}
