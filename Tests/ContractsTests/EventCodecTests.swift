import Contracts
import Domain
import TestSupport
import Testing

@Suite("Event codec")
struct EventCodecTests {
    @Test("every kind of event reads back as it was, from canonical bytes")
    func roundTrip() throws {
        let events = try SampleDebate.events()
        for event in events {
            let data = EventCodec.encode(event, debateID: SampleDebate.id)
            #expect(try EventCodec.decode(type: event.type, data: data) == event)
            #expect(CanonicalJSON.encode(try JSONParser.parse(data)) == data)
        }
        #expect(Set(events.map(\.type)).count == 22)
    }

    @Test("the data of every kind has the golden bytes")
    func golden() throws {
        try Golden.check(
            "event_data.jsonl",
            is: try SampleDebate.events().map { event in
                let data = EventCodec.encode(event, debateID: SampleDebate.id)
                return Array("{\"data\":".utf8) + data + Array(",\"type\":\"\(event.type)\"}".utf8)
            })
    }

    @Test("the largest events stay below the limit, though every character is escaped and said twice")
    func largest() throws {
        let answer = String(repeating: "\"", count: Answer.maxContentBytes)
        let reasoning = String(repeating: "\\", count: ReplyParser.maxReasoningBytes)
        let name = { (index: Int) in String(repeating: "ü", count: AgentWish.maximumNameCharacters - 2) + "-\(index)" }
        let names = (0..<DebateSpec.agentsRange.upperBound).map(name)
        let events: [DebateEvent] = [
            .revision(SampleDebate.statement(names[0], .local, "r12/revise/x", answer), original: answer),
            .consensus(
                ConsensusResult(
                    round: 12, mode: .majority, threshold: .one, reached: true, winner: names[0], finalAnswer: answer,
                    agreement: .one, confidence: .one, supporting: names,
                    dissenting: names.map { .init(agent: $0, choice: names[1], reasoning: reasoning) },
                    convergence: Convergence(state: .converged, similarity: .one))),
        ]
        for event in events {
            let data = EventCodec.encode(event, debateID: SampleDebate.id)
            #expect(data.count <= EventCodec.maximumBytes)
            #expect(try EventCodec.decode(type: event.type, data: data) == event)
        }
    }

    @Test("fields that a later version adds are ignored")
    func unknownFields() throws {
        for event in try SampleDebate.events() {
            let data = EventCodec.encode(event, debateID: SampleDebate.id)
            let more = Array("{\"a_new_field\":[1,{}],".utf8) + data.dropFirst()
            #expect(try EventCodec.decode(type: event.type, data: more) == event)
        }
    }

    @Test("a field that is missing or of another type is refused by name, and nothing traps")
    func malformed() throws {
        for event in try SampleDebate.events() {
            let data = try #require(try JSONParser.parse(EventCodec.encode(event, debateID: SampleDebate.id)).object)
            for member in data.members {
                for value: JSONValue in ["", -1, 1.5, [], [[:]], [1], [:], true, nil] {
                    var changed = data
                    changed[member.key] = value
                    _ = try? EventCodec.decode(type: event.type, data: CanonicalJSON.encode(changed))
                }
            }
        }
        #expect(throws: ContractError(.malformed, "round_start: total_rounds is not a whole number")) {
            try EventCodec.decode(type: "round_start", data: Array(#"{"round":1}"#.utf8))
        }
        #expect(throws: ContractError.self) { try EventCodec.decode(type: "round_start", data: Array("[]".utf8)) }
    }

    @Test("a type of event that is not known says so")
    func unknownType() {
        #expect(throws: ContractError(.unknownVersion, "unknown event type later")) {
            try EventCodec.decode(type: "later", data: Array("{}".utf8))
        }
    }

    @Test(
        "what the official clients read is in the data",
        arguments: [
            ("debate_start", ["debate_id", "task", "agents", "total_rounds", "protocol"]),
            ("round_start", ["debate_id", "round_number", "total_rounds", "round"]),
            ("agent_message", ["debate_id", "round_number", "agent", "content", "confidence", "role"]),
            (
                "critique",
                [
                    "debate_id", "round_number", "agent", "target_agent", "content", "score", "critic", "target",
                    "critique", "severity",
                ]
            ),
            (
                "revision",
                [
                    "debate_id", "round_number", "agent", "content", "original_content", "confidence", "original",
                    "revised",
                ]
            ),
            ("vote", ["debate_id", "round_number", "agent", "choice", "reasoning", "confidence", "vote"]),
            (
                "consensus",
                ["debate_id", "round_number", "result", "confidence", "method", "reached", "answer", "consensus"]
            ),
            (
                "debate_end",
                [
                    "debate_id", "result", "total_rounds", "consensus_reached", "duration_seconds", "duration",
                    "rounds", "status", "reason",
                ]
            ),
            ("phase_change", ["debate_id", "from_phase", "to_phase", "round_number"]),
            ("receipt_generated", ["debate_id", "receipt_id", "verdict", "confidence"]),
        ])
    func clientFields(type: String, fields: [String]) throws {
        let event = try #require(try SampleDebate.events().first { $0.type == type })
        let data = try JSONParser.parse(EventCodec.encode(event, debateID: SampleDebate.id))
        for field in fields { #expect(data[field] != nil, "\(type).\(field)") }
    }
}
