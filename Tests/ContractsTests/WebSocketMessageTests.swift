import Contracts
import Domain
import TestSupport
import Testing

@Suite("WebSocket messages")
struct WebSocketMessageTests {
    private func parse(_ json: String) throws -> ClientMessage { try .parse(Array(json.utf8)) }
    private let id = SampleDebate.id

    @Test("reads what the official clients send")
    func clients() throws {
        let text = id.text
        #expect(try parse(#"{"type":"subscribe","debate_id":"\#(text)"}"#) == .subscribe(.init(debateID: id)))
        #expect(
            try parse(#"{"type":"subscribe","loop_id":"\#(text)","replay_from_seq":7}"#)
                == .subscribe(.init(debateID: id, replayFromSeq: 7)))
        #expect(
            try parse(#"{"type":"subscribe","debate_id":"\#(text)","replay_from_seq":0}"#)
                == .subscribe(.init(debateID: id, replayFromSeq: 1)))
        #expect(
            try parse(
                #"{"type":"subscribe","debate_id":"\#(text)","since_seq":7,"after_hash":"\#(String(repeating: "Ab", count: 32))"}"#
            )
                == .subscribe(.init(debateID: id, replayFromSeq: 8, afterHash: Array(repeating: 0xAB, count: 32))))
        #expect(
            try parse(#"{"type":"subscribe","debate_id":"\#(text)","snapshot":true}"#)
                == .subscribe(.init(debateID: id, snapshot: true)))
        #expect(try parse(#"{"type":"unsubscribe","debate_id":"\#(text)","extra":{}}"#) == .unsubscribe(id))
        #expect(try parse(#"{"type":"ping"}"#) == .ping(timestamp: nil))
        #expect(try parse(#"{"type":"ping","ts":1.5}"#) == .ping(timestamp: .double(1.5)))
        #expect(try parse(#"{"type":"get_loops"}"#) == .listDebates)
        #expect(try parse(#"{"type":"user_vote","loop_id":"x"}"#) == .unsupported(type: "user_vote"))
    }

    @Test(
        "refuses what it can not use, each with a warning's code",
        arguments: [
            ("", WarningCode.invalidJSON), ("[", .invalidJSON), ("{\"type\":\"ping\",\"type\":\"ping\"}", .invalidJSON),
            ("[]", .invalidMessage),
            ("{}", .invalidMessage), (#"{"type":1}"#, .invalidMessage), (#"{"type":"subscribe"}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":"nonsense"}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":5}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":"\#(SampleDebate.id)","replay_from_seq":-1}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":"\#(SampleDebate.id)","replay_from_seq":"1"}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":"\#(SampleDebate.id)","after_hash":"00"}"#, .invalidMessage),
            (#"{"type":"subscribe","debate_id":"\#(SampleDebate.id)","snapshot":1}"#, .invalidMessage),
        ])
    func refuses(json: String, code: WarningCode) {
        do throws(ClientMessage.Refusal) {
            _ = try ClientMessage.parse(Array(json.utf8))
            Issue.record("accepted: \(json)")
        } catch { #expect(error.code == code) }
    }

    @Test("echoes little: long types are cut, large clocks dropped, large messages refused unread")
    func bounds() throws {
        let long = String(repeating: "x", count: 70)
        #expect(try parse(#"{"type":"\#(long)"}"#) == .unsupported(type: String(long.prefix(64))))
        #expect(try parse(#"{"type":"ping","ts":"\#(long)"}"#) == .ping(timestamp: nil))
        let body = { (count: Int) in #"{"type":"ping","pad":"\#(String(repeating: "x", count: count))"}"# }
        let frame = body(0).utf8.count
        #expect(try parse(body(ClientMessage.maximumBytes - frame)) == .ping(timestamp: nil))
        #expect(throws: ClientMessage.Refusal.self) { try parse(body(ClientMessage.maximumBytes - frame + 1)) }
    }

    @Test("every server message has the golden bytes")
    func golden() throws {
        let info = ServerMessage.ConnectionInfo(serverVersion: "1.0", clientID: "c1", authenticated: true)
        let messages: [ServerMessage] = [
            .connected(info), .connectionInfo(info), .loopList([]), .subscribed(id, latestSeq: 3, status: "running"),
            .unsubscribed(id), .replayStart(id, fromSeq: 1, eventCount: 3, latestSeq: 3),
            .replayEnd(id, replayedCount: 3, latestSeq: 3), .heartbeat(serverTime: 5, subscriptions: 1),
            .pong(clientTimestamp: 1, serverTime: 2), .warning(.notSubscribed, message: "Subscribe to a debate first."),
            .warning(.logReset, message: "The log was replaced.", debateID: id, extra: JSONObject([("latest_seq", 3)])),
            .error(.permissionDenied, message: "Permission denied.", debateID: id),
            .authRevoked(message: "The token was revoked."),
        ]
        let timestamp = "2026-01-02T03:04:05.678Z"
        let events = [#"{"v":1,"seq":4}"#, #"{"v":1,"seq":5}"#].map { ArraySlice($0.utf8) }
        let snapshots = [[], events].map { events in
            SnapshotMessage(
                debate: id, fromSeq: 4, prevHash: [UInt8](repeating: 0xAB, count: 32), toSeq: 3 + Int64(events.count),
                hash: [UInt8](repeating: 0xCD, count: 32), isComplete: true
            ).encode(events, timestamp: timestamp)
        }
        try Golden.check(
            "server_messages.jsonl", is: messages.map { $0.encode(timestamp: timestamp) } + snapshots)
    }

    @Test("an array of messages is the messages, and the frame of one is what was put into it")
    func arrays() throws {
        #expect(MessageArray.encode([]) == Array("[]".utf8))
        #expect(MessageArray.encode([ArraySlice("1".utf8)]) == Array("[1]".utf8))
        #expect(MessageArray.encode([ArraySlice("{}".utf8), ArraySlice("2".utf8)]) == Array("[{},2]".utf8))
    }

    @Test("close codes fit their frame, and the slow consumer is told where to resume")
    func closeCodes() {
        for code in CloseCode.allCases { #expect(code.reason.utf8.count <= 123) }
        #expect(CloseCode.slowConsumerReason(lastSeq: .max).utf8.count <= 123)
        #expect(CloseCode.slowConsumerReason(lastSeq: 7).hasSuffix("last_seq=7"))
    }
}
