import Contracts
import Crypto
import Domain
import Ledger
import TestSupport
import Testing

/// Logs of every engine version that this program runs. Whatever is changed in the machine, they must lead to the same
/// actions: a running debate may be continued by a newer program.
@Suite("Engine golden logs")
struct EngineGoldenTests {
    struct Log {
        let version: Int
        let scenario: String
    }

    struct Line {
        let sealed: SealedEvent
        /// What was due after the event, one line of text per action.
        let due: [String]
    }

    private func lines(_ name: String, version: Int) throws -> [Line] {
        try Golden.lines("engine_v\(version)/\(name).jsonl").map { bytes in
            let value = try JSONParser.parse(bytes)
            let envelope = try EventEnvelope.parse(try #require(value["event"]))
            let due = try #require(value["due"]?.array).map { $0.string ?? "" }
            return Line(sealed: envelope.event, due: due)
        }
    }

    @Test(
        "replay to the same actions, event by event",
        arguments: EngineVersion.supported.flatMap { version in
            EngineScenario.all(of: version).map { Log(version: version.number, scenario: $0.rawValue) }
        })
    func replay(log: Log) throws {
        let (version, lines) = (log.version, try lines(log.scenario, version: log.version))
        var machine = DebateMachine()
        var verifier = ChainVerifier(debateID: SampleDebate.id)
        for line in lines {
            try verifier.feed(line.sealed)
            let actions = try machine.apply(EventCodec.decode(line.sealed), at: line.sealed.at)
            try #require(actions.map(Self.text) == line.due, "after event \(line.sealed.seq)")
        }
        #expect(machine.hasEnded)
        #expect(machine.engineVersion == EngineVersion(version))
    }

    /// To write the logs of a new version: WRITE_GOLDEN=1.
    @Test("are what the current engine makes of their scenarios", arguments: EngineScenario.allCases)
    func current(scenario: EngineScenario) throws {
        let lines = try scenario.play().map { sealed, due in
            let envelope = try JSONParser.parse(EventEnvelope.encode(sealed, debateID: SampleDebate.id))
            return CanonicalJSON.encode(["due": .array(due.map { .string(Self.text($0)) }), "event": envelope])
        }
        try Golden.check("engine_v\(EngineVersion.current.number)/\(scenario.rawValue).jsonl", is: lines)
    }

    /// An action in one line: what a runner would do, prompts' material by its hash.
    static func text(_ action: DebateMachine.Action) -> String {
        switch action {
        case .call(let call): "call \(call.key) \(hash(call.material))"
        case .record(let events):
            "record "
                + events.map { "\($0.type) \(Self.prefix(of: EventCodec.encode($0, debateID: SampleDebate.id)))" }
                .joined(separator: " ")
        case .finish(let outcome):
            "finish \(outcome.status.rawValue) receipt=\(outcome.needsReceipt) cost=\(outcome.usage.cost.amount) "
                + "unknown=\(outcome.unknownCalls) verdict=\(outcome.verdict.rawValue) result="
                + Self.prefix(of: Array((outcome.result ?? "-").utf8))
        }
    }

    /// The first 16 hex digits of the SHA-256.
    private static func prefix(of bytes: [UInt8]) -> String { String(Hex.encode(SHA256.hash(bytes)).prefix(16)) }

    private static func hash(_ material: PlannedCall.Material) -> String {
        let parts =
            [material.topic, material.context ?? "-", material.own ?? "-"] + material.remarks + material.constraints
            + (material.others + material.critiques).flatMap { [$0.agent, $0.content] }
        return Self.prefix(of: Array(parts.joined(separator: "\u{1f}").utf8))
    }
}
