import Contracts
import Domain
import TestSupport

@testable import Ledger

extension DebateRecording {
    /// A golden log with the outcomes and commands that lead to it, and with a receipt of its own: the golden ones name none.
    static func golden(_ name: String) throws -> DebateRecording {
        let sealed = try Golden.lines("\(name).jsonl").map { bytes in
            let envelope = try JSONParser.parse(bytes)["event"] ?? .null
            return try EventEnvelope.parse(envelope).event.withCall()
        }
        let (events, receipt) = try receipted(sealed)
        let decoded = try events.map { try EventCodec.decode($0) }
        // An answer may come after its call was given up.
        let calls = Dictionary(decoded.compactMap(\.recordedCall).map { ($0.reference, $0) }) {
            $1.answer == nil ? $0 : $1
        }
        return DebateRecording(
            debate: SampleDebate.id, events: events,
            calls: calls.values.sorted {
                ($0.reference.key.text, $0.reference.attempt) < ($1.reference.key.text, $1.reference.attempt)
            },
            commands: decoded.compactMap(\.recordedKind).enumerated().map { index, said in
                DebateCommand(number: Int64(index + 1), kind: said.kind, author: said.author)
            }, receipt: receipt)
    }

    /// The last two events, sealed anew around the receipt that the outcome has.
    private static func receipted(_ events: [SealedEvent]) throws -> ([SealedEvent], [UInt8]?) {
        guard events.contains(where: { $0.type == "receipt_generated" }) else { return (events, nil) }
        var machine = DebateMachine()
        var transcript = Transcript()
        var kept = Array(events.dropLast(2))
        for event in kept {
            try machine.apply(EventCodec.decode(event), at: event.at)
            transcript.add(event)
        }
        let head = LogTail(seq: kept[kept.count - 1].seq, hash: kept[kept.count - 1].hash)
        var chain = EventChain(debateID: SampleDebate.id, tail: head)
        guard case .finish(let outcome) = machine.due.first else { return (events, nil) }
        let (receipt, end) = (events[events.count - 2], events[events.count - 1])
        let issued = ReceiptIssuer.issue(
            id: SampleDebate.receiptID, debateID: SampleDebate.id, outcome: outcome, head: head, transcript: transcript,
            at: receipt.at, salt: Array(0..<16), keys: nil)
        kept.append(
            chain.seal(.receiptGenerated(issued.summary), at: receipt.at, epoch: receipt.epoch, salt: receipt.salt))
        kept.append(chain.seal(try EventCodec.decode(end), at: end.at, epoch: end.epoch, salt: end.salt))
        return (kept, issued.document)
    }

    func with(
        events: [SealedEvent]? = nil, calls: [CallRecord]? = nil, commands: [DebateCommand]? = nil
    ) -> DebateRecording {
        DebateRecording(
            debate: debate, events: events ?? self.events, calls: calls ?? self.calls,
            commands: commands ?? self.commands, receipt: receipt)
    }
}

extension SealedEvent {
    /// As it is stored: an envelope has the call and the hash of the data only inside.
    fileprivate func withCall() throws -> SealedEvent {
        SealedEvent(
            seq: seq, type: type, round: round, agent: agent, at: at, epoch: epoch, data: data, salt: salt,
            dataHash: EventHash.ofData(data, salt: salt), prevHash: prevHash, hash: hash,
            call: try EventCodec.decode(self).consumedCall)
    }
}

extension DebateEvent {
    /// An outcome that the event can have been made of.
    fileprivate var recordedCall: CallRecord? {
        switch self {
        case .agentMessage(let said), .revision(let said, _):
            record(said.call, said.agent, said.content, said.usage, said.provider, said.model, said.truncated)
        case .critique(let said): record(said.call, said.agent, said.content, said.usage, truncated: said.truncated)
        case .vote(let vote), .sealedVote(let vote): record(vote.call, vote.agent, Self.text(of: vote), vote.usage)
        case .synthesis(let said):
            record(
                said.call, said.agent,
                "DECISION: \(said.content)\nCONFIDENCE: \(said.confidence.value)\nDISSENT: \(said.dissent ?? "none")",
                said.usage, said.provider, said.model, said.truncated)
        case .agentError(let failure):
            CallRecord(
                reference: failure.call, agent: failure.agent, epoch: 1,
                state: failure.kind == .refused ? .refused : .failed, answer: nil, failure: failure.kind)
        case .callAbandoned(let call, let agent, _):
            CallRecord(reference: call, agent: agent, epoch: 1, state: .unknown, answer: nil, failure: nil)
        default: nil
        }
    }

    private static func text(of vote: Vote) -> String {
        let choice =
            switch vote.standing {
            case .valid: "CHOICE: \(vote.choice ?? "")\n"
            case .abstained: "CHOICE: abstain\n"
            case .malformed: ""
            }
        guard !choice.isEmpty else { return vote.reasoning + (vote.continueDebate ? "" : "\nCONTINUE: no") }
        return choice
            + "CONFIDENCE: \(vote.confidence.value)\nCONTINUE: \(vote.continueDebate ? "yes" : "no")\nREASONING: \(vote.reasoning)"
    }

    private func record(
        _ call: CallReference, _ agent: String, _ content: String, _ usage: Usage, _ provider: ProviderKey = .demo,
        _ model: String = "demo", _ isTruncated: Bool? = nil, truncated: Bool = false
    ) -> CallRecord {
        CallRecord(
            reference: call, agent: agent, epoch: 1, state: .answered,
            answer: Answer(
                content: content, provider: provider, model: model, usage: usage, truncated: isTruncated ?? truncated),
            failure: nil)
    }

    fileprivate var recordedKind: (kind: DebateCommand.Kind, author: String)? {
        switch self {
        case .userMessage(let author, let remark): (.remark(remark), author)
        case .debatePaused(let by): (.pause, by)
        case .debateResumed(let by): (.resume, by)
        default: nil
        }
    }
}

extension Answer {
    func with(content: String? = nil, model: String? = nil, cost: Int64? = nil) -> Answer {
        Answer(
            content: content ?? self.content, provider: provider, model: model ?? self.model,
            usage: Usage(
                inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                cost: cost.map { MicroUSD($0) } ?? usage.cost), truncated: truncated)
    }
}

/// One event with one byte, or one number, changed.
enum EventMutation {
    enum Part: CaseIterable { case data, salt, dataHash, previousHash, hash, type, agent, round, time, epoch, call }

    static func all(of part: Part, in event: SealedEvent) -> [SealedEvent] {
        switch part {
        case .data: spread(event.data.count, 4).map { event.changed(data: flipped(event.data, $0)) }
        case .salt: spread(event.salt.count, 1).map { event.changed(salt: flipped(event.salt, $0)) }
        case .dataHash: spread(event.dataHash.count, 1).map { event.changed(dataHash: flipped(event.dataHash, $0)) }
        case .previousHash: spread(event.prevHash.count, 1).map { event.changed(prevHash: flipped(event.prevHash, $0)) }
        case .hash: spread(event.hash.count, 1).map { event.changed(hash: flipped(event.hash, $0)) }
        case .type: spread(event.type.utf8.count, 1).map { event.changed(type: flipped(event.type, $0)) }
        case .agent: [event.changed(agent: event.agent.map { flipped($0, 0) } ?? "x")]
        case .round: [event.changed(round: event.round + 1)]
        case .time: [-1, 1].map { event.changed(at: Timestamp(milliseconds: event.at.milliseconds + $0)) }
        case .epoch: [event.changed(epoch: event.epoch + 1)]
        case .call:
            event.call.map {
                [
                    event.changed(call: CallReference(key: $0.key, attempt: $0.attempt + 1)),
                    event.changed(call: CallReference(key: CallKey(flipped($0.key.text, 1)), attempt: $0.attempt)),
                ]
            } ?? []
        }
    }

    /// Places from the first to the last, as many as a test has time for.
    private static func spread(_ count: Int, _ places: Int) -> [Int] {
        (0..<places).map { $0 * (count - 1) / max(1, places - 1) }
    }

    private static func flipped(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 1
        return bytes
    }

    private static func flipped(_ text: String, _ index: Int) -> String {
        String(decoding: flipped(Array(text.utf8), index), as: UTF8.self)
    }
}

extension SealedEvent {
    fileprivate func changed(
        type: String? = nil, round: Int? = nil, agent: String? = nil, at: Timestamp? = nil, epoch: Int64? = nil,
        data: [UInt8]? = nil, salt: [UInt8]? = nil, dataHash: [UInt8]? = nil, prevHash: [UInt8]? = nil,
        hash: [UInt8]? = nil, call: CallReference? = nil
    ) -> SealedEvent {
        SealedEvent(
            seq: seq, type: type ?? self.type, round: round ?? self.round, agent: agent ?? self.agent,
            at: at ?? self.at, epoch: epoch ?? self.epoch, data: data ?? self.data, salt: salt ?? self.salt,
            dataHash: dataHash ?? self.dataHash, prevHash: prevHash ?? self.prevHash, hash: hash ?? self.hash,
            call: call ?? self.call)
    }
}

/// A log that begins as another one did and goes on otherwise.
struct LogWriter {
    private(set) var machine = DebateMachine()
    private(set) var events: [SealedEvent]
    private var chain: EventChain

    init(_ recording: DebateRecording, keeping count: Int) {
        events = Array(recording.events.prefix(count))
        for event in events {
            if let said = try? EventCodec.decode(event) { _ = try? machine.apply(said, at: event.at) }
        }
        chain = EventChain(
            debateID: recording.debate, tail: LogTail(seq: events[count - 1].seq, hash: events[count - 1].hash))
    }

    var nextTime: Timestamp { SampleDebate.time(ofEvent: events.count) }

    mutating func append(_ event: DebateEvent, epoch: Int64) {
        events.append(
            chain.seal(event, at: nextTime, epoch: epoch, salt: [UInt8](repeating: 9, count: EventHash.saltLength)))
    }
}
