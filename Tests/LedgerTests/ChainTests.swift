import Contracts
import Domain
import Ledger
import TestSupport
import Testing

@Suite("Event chain")
struct ChainTests {
    private func sealedSample() throws -> [SealedEvent] {
        var chain = EventChain(debateID: SampleDebate.id)
        return try SampleDebate.events().enumerated().map { index, event in
            chain.seal(
                event, at: SampleDebate.time(ofEvent: index), epoch: Int64(index / 4),
                salt: (0..<16).map { UInt8(truncatingIfNeeded: $0 + index * 16) })
        }
    }

    private func verify(_ events: [SealedEvent], id: DebateID = SampleDebate.id) -> ChainVerifier {
        var verifier = ChainVerifier(debateID: id)
        for event in events { try? verifier.feed(event) }
        return verifier
    }

    @Test("the sample log has the golden envelopes, which Python checks too")
    func golden() throws {
        try Golden.check(
            "event_chain.jsonl", is: try sealedSample().map { EventEnvelope.encode($0, debateID: SampleDebate.id) })
    }

    @Test("a sealed log verifies, as values and as envelopes, and names its end")
    func verifies() throws {
        let events = try sealedSample()
        let verifier = verify(events)
        #expect(verifier.fault == nil)
        #expect(verifier.hasEnded)
        #expect(verifier.tail == LogTail(seq: Int64(events.count), hash: events[events.count - 1].hash))
        var fromWire = ChainVerifier(debateID: SampleDebate.id)
        for event in events { try fromWire.feed(envelope: EventEnvelope.encode(event, debateID: SampleDebate.id)) }
        #expect(fromWire.tail == verifier.tail)
    }

    @Test("what was sealed here moves the tail without being hashed again, and only in its place")
    func sealedHere() throws {
        let events = try sealedSample()
        var checked = ChainVerifier(debateID: SampleDebate.id)
        var trusted = checked
        for event in events {
            try checked.feed(event)
            try trusted.feed(sealedHere: event)
            #expect(trusted.tail == checked.tail)
        }
        #expect(trusted.hasEnded == checked.hasEnded)
        var skipping = ChainVerifier(debateID: SampleDebate.id)
        #expect(throws: ChainFault.self) { try skipping.feed(sealedHere: events[1]) }
        #expect(throws: ChainFault.self) { try skipping.feed(sealedHere: events[0]) }
    }

    @Test("verification goes on from any tail")
    func resumes() throws {
        let events = try sealedSample()
        for split in events.indices {
            var verifier = ChainVerifier(
                debateID: SampleDebate.id, from: split == 0 ? nil : verify(Array(events[..<split])).tail)
            for event in events[split...] { try verifier.feed(event) }
            #expect(verifier.tail.seq == Int64(events.count))
        }
    }

    @Test("an event without its data still links, and its envelope still verifies")
    func erased() throws {
        var events = try sealedSample()
        events[3] = events[3].with(data: [], salt: [])
        #expect(verify(events).fault == nil)
        var fromWire = ChainVerifier(debateID: SampleDebate.id)
        for event in events { try fromWire.feed(envelope: EventEnvelope.encode(event, debateID: SampleDebate.id)) }
        #expect(fromWire.tail.seq == Int64(events.count))
    }

    @Test("every change of any event is found at that event", arguments: 0..<9)
    func tampering(kind: Int) throws {
        let events = try sealedSample()
        for index in events.indices {
            var changed = events
            let event = events[index]
            let expected: ChainFault.Reason
            switch kind {
            case 0: (changed[index], expected) = (event.with(data: event.data + [32]), .wrongDataHash)
            case 1: (changed[index], expected) = (event.with(salt: event.salt.reversed()), .wrongDataHash)
            case 2: (changed[index], expected) = (event.with(type: "x"), .wrongHash)
            case 3: (changed[index], expected) = (event.with(agent: "mallory"), .wrongHash)
            case 4: (changed[index], expected) = (event.with(epoch: event.epoch + 1), .wrongHash)
            case 5:
                (changed[index], expected) = (
                    event.with(at: Timestamp(milliseconds: event.at.milliseconds + 1)), .wrongHash
                )
            case 6: (changed[index], expected) = (event.with(prevHash: Array(repeating: 1, count: 32)), .brokenLink)
            case 7: (changed[index], expected) = (event.with(hash: Array(repeating: 1, count: 32)), .wrongHash)
            default:
                (changed[index], expected) = (event.with(seq: event.seq + 1), .wrongNumber(expected: event.seq))
            }
            let fault = try #require(verify(changed).fault)
            #expect(fault.reason == expected)
            #expect(fault.seq == changed[index].seq)
        }
    }

    @Test("a missing, repeated, swapped or foreign event is found")
    func order() throws {
        let events = try sealedSample()
        var missing = events
        missing.remove(at: 4)
        #expect(verify(missing).fault == ChainFault(seq: 6, reason: .wrongNumber(expected: 5)))
        #expect(verify(events + [events[events.count - 1]]).fault?.reason == .wrongNumber(expected: 31))
        var swapped = events
        swapped.swapAt(1, 2)
        #expect(verify(swapped).fault == ChainFault(seq: 3, reason: .wrongNumber(expected: 2)))
        let other = DebateID(milliseconds: 1, random: Array(1...10))
        #expect(verify(events, id: other).fault?.reason == .brokenLink)
        var fromWire = ChainVerifier(debateID: other)
        #expect(throws: ChainFault(seq: 1, reason: .foreignDebate)) {
            try fromWire.feed(envelope: EventEnvelope.encode(events[0], debateID: SampleDebate.id))
        }
    }

    @Test("well-sealed events that could not have happened are found: after the end, an older epoch, an earlier time")
    func impossible() throws {
        let events = try sealedSample()
        var chain = EventChain(debateID: SampleDebate.id, tail: verify(events).tail)
        let late = chain.seal(
            .debatePaused(by: "x"), at: SampleDebate.time(ofEvent: 99), epoch: 99, salt: Array(0..<16))
        #expect(verify(events + [late]).fault?.reason == .afterEnd)
        let first = Array(events[..<8])
        chain = EventChain(debateID: SampleDebate.id, tail: verify(first).tail)
        let old = chain.seal(.debatePaused(by: "x"), at: SampleDebate.time(ofEvent: 99), epoch: 0, salt: Array(0..<16))
        #expect(verify(first + [old]).fault?.reason == .epochWentBack)
        chain = EventChain(debateID: SampleDebate.id, tail: verify(first).tail)
        let early = chain.seal(.debatePaused(by: "x"), at: SampleDebate.startedAt, epoch: 9, salt: Array(0..<16))
        #expect(verify(first + [early]).fault?.reason == .timeWentBack)
    }

    @Test(
        "an envelope that can not be read stops the verifier for good",
        arguments: ["", "[]", "{}", "{\"v\":2}", "nonsense"])
    func malformed(text: String) throws {
        let events = try sealedSample()
        var verifier = ChainVerifier(debateID: SampleDebate.id)
        #expect(throws: ChainFault.self) { try verifier.feed(envelope: Array(text.utf8)) }
        #expect(throws: ChainFault.self) { try verifier.feed(events[0]) }
    }

    @Test("fresh salts differ, and several events of one moment link")
    func salts() throws {
        var chain = EventChain(debateID: SampleDebate.id)
        let events = try chain.seal(
            [.debatePaused(by: "a"), .debatePaused(by: "a"), .debateResumed(by: "a")], at: SampleDebate.startedAt,
            epoch: 1)
        #expect(Set(events.map(\.salt)).count == 3)
        #expect(verify(events).fault == nil)
        #expect(chain.tail == verify(events).tail)
    }
}

extension SealedEvent {
    /// A copy with some parts replaced, as an attacker or a bug would.
    fileprivate func with(
        seq: Int64? = nil, type: String? = nil, agent: String? = nil, at: Timestamp? = nil, epoch: Int64? = nil,
        data: [UInt8]? = nil, salt: [UInt8]? = nil, prevHash: [UInt8]? = nil, hash: [UInt8]? = nil
    ) -> SealedEvent {
        SealedEvent(
            seq: seq ?? self.seq, type: type ?? self.type, round: round, agent: agent ?? self.agent, at: at ?? self.at,
            epoch: epoch ?? self.epoch, data: data ?? self.data, salt: salt ?? self.salt, dataHash: dataHash,
            prevHash: prevHash ?? self.prevHash, hash: hash ?? self.hash, call: call)
    }
}
