import Contracts
import Crypto
import Domain
import TestSupport
import Testing

@testable import Ledger

@Suite("Exact replay")
struct ReplayTests {
    static let goldenNames = EngineVersion.supported.flatMap { version in
        EngineScenario.all(of: version).map { "engine_v\(version.number)/\($0.rawValue)" }
    }

    @Test("rebuilds the logs of every engine byte for byte from their outcomes", arguments: ReplayTests.goldenNames)
    func goldens(name: String) throws {
        let recording = try DebateRecording.golden(name)
        let replayed = try ReplayedDebate(recording)
        #expect(replayed.hasEnded)
        #expect(replayed.tally.events == recording.events.count)
        #expect(replayed.tally.outcomes == recording.calls.count { $0.state != .unknown })
    }

    @Test("rebuilds it from a file as well, and the file is the same again", arguments: ReplayTests.goldenNames)
    func files(name: String) throws {
        let recording = try DebateRecording.golden(name)
        let read = try DebateRecording(file: recording.file)
        #expect(read.file == recording.file)
        #expect(try ReplayedDebate(read).hasEnded)
    }

    @Test("a running debate is rebuilt as far as it is, whatever its length")
    func prefixes() throws {
        let recording = try DebateRecording.golden("engine_v2/interventions")
        for count in 1..<recording.events.count {
            let replayed = try ReplayedDebate(recording.with(events: Array(recording.events.prefix(count))))
            #expect(!replayed.hasEnded)
            #expect(replayed.tally.events == count)
        }
    }

    @Test("an outcome that is missing or unknown fails closed, and names the call", arguments: ReplayTests.goldenNames)
    func missingOutcome(name: String) throws {
        let recording = try DebateRecording.golden(name)
        for call in recording.calls {
            let rest = recording.calls.filter { $0.reference != call.reference }
            let fault = try #require(firstFault(of: recording.with(calls: rest)))
            #expect(fault.reason == .missingOutcome(call.reference))
            #expect(fault.isIncomplete)
            guard call.state == .answered else { continue }
            let unknown = CallRecord(
                reference: call.reference, agent: call.agent, epoch: call.epoch, state: .unknown, answer: nil,
                failure: nil)
            #expect(firstFault(of: recording.with(calls: rest + [unknown]))?.reason == .missingOutcome(call.reference))
        }
    }

    @Test("a changed byte is found, and the event that has it is named: in data, salt, hashes, time and header")
    func mutations() throws {
        let recording = try DebateRecording.golden("engine_v2/interventions")
        for index in recording.events.indices {
            for part in EventMutation.Part.allCases {
                for mutation in EventMutation.all(of: part, in: recording.events[index]) {
                    var events = recording.events
                    events[index] = mutation
                    let fault = try #require(
                        firstFault(of: recording.with(events: events)), "event \(index + 1): \(part) was changed unseen"
                    )
                    #expect(fault.seq == Int64(index + 1), "\(part) of event \(index + 1): \(fault)")
                }
            }
        }
    }

    @Test("a changed byte of an answer is found where the event says it, and one of a vote where it counts")
    func changedAnswers() throws {
        let recording = try DebateRecording.golden("engine_v2/completed")
        for (index, call) in recording.calls.enumerated() {
            guard let answer = call.answer, let event = recording.events.first(where: { $0.call == call.reference })
            else { continue }
            var content = Array(answer.content.utf8)
            let at = content.count / 2
            content[at] = content[at] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
            for changed in [
                answer.with(content: String(decoding: content, as: UTF8.self)), answer.with(cost: 101),
                answer.with(model: "other"),
            ] {
                var calls = recording.calls
                calls[index] = CallRecord(
                    reference: call.reference, agent: call.agent, epoch: call.epoch, state: .answered, answer: changed,
                    failure: nil)
                // A vote's event keeps choice, confidence and reason, and neither the model nor other words.
                let isWhole = ["agent_message", "critique", "revision"].contains(event.type)
                guard isWhole || changed.usage != answer.usage else { continue }
                guard event.type != "critique" || changed.model == answer.model else { continue }
                let fault = try #require(firstFault(of: recording.with(calls: calls)), "\(call.reference.key)")
                #expect(fault.seq == event.seq)
                guard case .different(.data, _) = fault.reason else { throw fault }
            }
        }
    }

    @Test("a log that was sealed anew around another vote is found out: its decision does not follow")
    func resealed() throws {
        let recording = try DebateRecording.golden("engine_v2/completed")
        let index = try #require(recording.events.lastIndex { $0.type == "consensus" })
        var chain = EventChain(debateID: recording.debate)
        let events = try recording.events.enumerated().map { number, event in
            var said = try EventCodec.decode(event)
            if number == index, case .consensus(let result) = said {
                said = .consensus(
                    ConsensusResult(
                        round: result.round, mode: result.mode, threshold: result.threshold, reached: result.reached,
                        winner: "demo-3", finalAnswer: result.finalAnswer, agreement: result.agreement,
                        confidence: result.confidence, supporting: result.supporting, dissenting: result.dissenting,
                        convergence: result.convergence))
            }
            return chain.seal(said, at: event.at, epoch: event.epoch, salt: event.salt)
        }
        var verifier = ChainVerifier(debateID: recording.debate)
        for event in events { try verifier.feed(event) }
        let fault = try #require(firstFault(of: recording.with(events: events)))
        #expect(fault.seq == Int64(index + 1))
        guard case .different(.data, let detail) = fault.reason else { throw fault }
        #expect(detail.contains("demo-3"))
    }

    @Test("a step that the engine would not take, or takes elsewhere, is not due")
    func notDue() throws {
        let recording = try DebateRecording.golden("engine_v2/completed")
        var chain = EventChain(debateID: recording.debate)
        // The critiques of the first round are left out.
        let kept = try recording.events.filter { !($0.type == "critique" && $0.round == 1) }.map { event in
            chain.seal(try EventCodec.decode(event), at: event.at, epoch: event.epoch, salt: event.salt)
        }
        let fault = try #require(firstFault(of: recording.with(events: kept)))
        #expect(fault.reason == .notDue && fault.type == "phase_change")
        #expect(!fault.isIncomplete)
    }

    @Test("an erased event can not be rebuilt, and that is said, not guessed")
    func erased() throws {
        let recording = try DebateRecording.golden("engine_v2/completed")
        var events = recording.events
        let whole = events[3]
        events[3] = SealedEvent(
            seq: whole.seq, type: whole.type, round: whole.round, agent: whole.agent, at: whole.at, epoch: whole.epoch,
            data: [], salt: [], dataHash: whole.dataHash, prevHash: whole.prevHash, hash: whole.hash, call: whole.call)
        let fault = try #require(firstFault(of: recording.with(events: events)))
        #expect(fault.reason == .erased && fault.seq == 4 && fault.isIncomplete)
    }

    @Test("commands are taken in their order; one that a holder never had must have an epoch of its own")
    func commands() throws {
        let recording = try DebateRecording.golden("engine_v2/interventions")
        #expect(!recording.commands.isEmpty)
        let fault = try #require(firstFault(of: recording.with(commands: Array(recording.commands.dropFirst()))))
        guard case .different(.type, _) = fault.reason else { throw fault }
        let none = try #require(firstFault(of: recording.with(commands: [])))
        #expect(none.reason == .missingCommand && none.isIncomplete)
        var changed = recording.commands
        changed[0] = DebateCommand(number: 1, kind: .remark(Remark("Something else.")), author: "ann")
        let other = try #require(firstFault(of: recording.with(commands: changed)))
        guard case .different(.data, _) = other.reason else { throw other }
    }

    @Test(
        "a debate that was ended from outside, by an epoch of its own, is rebuilt; its reason is recorded",
        arguments: [DebateStatus.cancelled, .failed])
    func endedFromOutside(status: DebateStatus) throws {
        let whole = try DebateRecording.golden("engine_v2/completed")
        for count in [1, 4, 9, 30] {
            var log = LogWriter(whole, keeping: count)
            let end = try #require(log.machine.outcome(endedAs: status, reason: "cancelled by ann"))
            log.append(.debateEnd(end.debateEnd(at: log.nextTime)), epoch: 2)
            #expect(try ReplayedDebate(whole.with(events: log.events)).hasEnded)
            // Without an epoch of its own it would have been the holder, who has no business doing it.
            var holder = LogWriter(whole, keeping: count)
            holder.append(.debateEnd(end.debateEnd(at: log.nextTime)), epoch: whole.events[count - 1].epoch)
            #expect(firstFault(of: whole.with(events: holder.events))?.reason == .notDue)
        }
    }

    @Test("a file that is none is refused with the line")
    func badFiles() throws {
        let good = try DebateRecording.golden("engine_v1/timeout").file
        for (bytes, line) in [
            (Array("".utf8), 1), (Array("{}".utf8), 1), (Array("{\"format\":\"other\",\"version\":1}\n".utf8), 1),
            (good + Array("{\"call\":{\"call_key\":\"r1/propose/a\"}}\n".utf8), good.split(separator: 10).count + 1),
            (good + [0xFF], good.split(separator: 10).count + 1),
        ] {
            do throws(DebateRecording.FileFault) {
                _ = try DebateRecording(file: bytes)
                Issue.record("it was read")
            } catch {
                #expect(error.line == line, "\(error)")
            }
        }
    }

    private func firstFault(of recording: DebateRecording) -> ReplayFault? {
        do throws(ReplayFault) {
            _ = try ReplayedDebate(recording)
            return nil
        } catch {
            return error
        }
    }
}
