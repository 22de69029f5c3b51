import Domain
import PostgresClient
import TestSupport
import Testing

@testable import Storage

/// Each fence rule of the protocol's model has a test here or in ``IntentTests`` that fails when the rule is taken out.
@Suite(.needsPostgres)
struct AppendTests {
    @Test(
        "appends events, settles outcomes and moves tail and command cursor in one statement", arguments: [false, true])
    func appends(isFree: Bool) async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: runner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            try await bench.command(.remark(Remark("hurry")), of: chain.debate)
            let previous = chain.tail
            let events = [
                chain.next("agent_message", epoch: 1, agent: "demo-1", call: CallKey.first.attempt()),
                chain.next("user_message", epoch: 1, round: 0),
            ]
            let result = try await bench.log.append(
                EventBatch(
                    debate: chain.debate, epoch: 1, previous: previous, events: events,
                    outcomes: [.answered(chain.debate, CallKey.first.attempt(), isFree: isFree)], consumedCommands: 1))

            #expect(result == .appended)
            #expect(try await bench.events(chain.debate).dropFirst() == events[...])
            #expect(try await bench.record(chain.debate).tail == chain.tail)
            #expect(try await bench.callState(chain.debate, .first) == "answered")
            #expect(try await bench.runs.release(holding, runner: runner, to: .queued) == .released)
        }
    }

    @Test("reads back every byte of an event, and its milliseconds")
    func roundTrip() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let batch = chain.batch(epoch: 1, call: CallKey.first.attempt())
            _ = try await bench.log.append(batch)
            #expect(try await bench.log.read(chain.debate, from: 2, limit: 10) == batch.events)
            #expect(try await bench.log.read(chain.debate, from: 3, limit: 10).isEmpty)
            #expect(try await bench.log.read(chain.debate, from: 1, limit: 1).count == 1)
        }
    }

    @Test("NO_FENCE: who lost the epoch appends nothing, although the log stands where it believes")
    func lostEpoch() async throws {
        try await Bench.with { bench in
            let zombie = try await bench.runner()
            var (chain, _) = try await bench.held(by: zombie)
            let rival = try await bench.adopt(from: zombie)
            let batch = chain.batch(epoch: 1)
            await #expect { try await bench.log.append(batch) } throws: { $0.isLost(to: rival.holding.epoch) }
            #expect(try await bench.events(chain.debate).count == 1)
        }
    }

    @Test("an append that settles nothing reads no calls, however many there are")
    func readsNoCalls() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            #expect(!AppendStatement.make(chain.batch(epoch: 1), tail: chain.tail).text.contains("agent_calls"))
        }
    }

    @Test("an outcome is stored although the fence refuses its event", arguments: [false, true])
    func lostEpochStillPays(isFree: Bool) async throws {
        try await Bench.with { bench in
            let zombie = try await bench.runner()
            var (chain, holding) = try await bench.held(by: zombie)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            _ = try await bench.adopt(from: zombie)
            let batch = chain.batch(
                epoch: 1, call: CallKey.first.attempt(),
                outcomes: [.answered(chain.debate, CallKey.first.attempt(), isFree: isFree)])
            await #expect { try await bench.log.append(batch) } throws: { $0.isLost(to: 2) }
            #expect(try await bench.callState(chain.debate, .first) == "answered")
            #expect(try await bench.events(chain.debate).count == 1)
        }
    }

    @Test("nothing follows the end, whoever asks", arguments: [DebateStatus.completed, .failed, .cancelled, .timeout])
    func terminal(status: DebateStatus) async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let (batch, conclusion) = chain.end(status, epoch: 1)
            #expect(try await bench.log.conclude(batch, conclusion) == .appended)
            let late = chain.batch(epoch: 1)
            await #expect { try await bench.log.append(late) } throws: { $0.isTerminal(status) }
            #expect(try await bench.events(chain.debate).map(\.type) == ["debate_start", "debate_end"])
        }
    }

    @Test("BLIND: a refused append leaves no event behind, at any free number")
    func refusedInsertsNothing() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: owner)
            #expect(try await bench.runs.release(holding, runner: owner, to: .queued) == .released)
            let batch = chain.batch(epoch: 1)
            await #expect { try await bench.log.append(batch) } throws: { $0.isLost(to: 1) }
            #expect(try await bench.count("debate_events WHERE seq > 1") == 0)
        }
    }

    @Test("NO_TAIL: a holder that is wrong about the log appends nothing and raises an alarm")
    func wrongTail() async throws {
        try await Bench.with { bench in
            let chain = try await bench.held(by: try await bench.runner()).chain
            let ahead = LogTail(seq: 5, hash: chain.tail.hash)
            let fork = LogTail(seq: 1, hash: [UInt8](repeating: 7, count: 32))
            for believed in [ahead, fork] {
                var wrong = TestChain(chain.debate, tail: believed)
                let batch = wrong.batch(epoch: 1)
                await #expect { try await bench.log.append(batch) } throws: { $0.isBroken }
            }
            #expect(try await bench.events(chain.debate).count == 1)
        }
    }

    @Test("the same bytes again are told apart from another's, also below the tail")
    func alreadyApplied() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let first = chain.batch(epoch: 1)
            #expect(try await bench.log.append(first) == .appended)
            #expect(try await bench.log.append(first) == .alreadyApplied)
            #expect(try await bench.log.append(chain.batch(epoch: 1)) == .appended)
            #expect(try await bench.log.append(first) == .alreadyApplied)
            #expect(try await bench.events(chain.debate).count == 3)
        }
    }

    @Test("our own bytes count as ours even when the debate was taken away since")
    func alreadyAppliedAfterAdoption() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            var chain = try await bench.held(by: owner).chain
            let batch = chain.batch(epoch: 1)
            _ = try await bench.log.append(batch)
            _ = try await bench.adopt(from: owner)
            #expect(try await bench.log.append(batch) == .alreadyApplied)
        }
    }

    @Test("an outcome is consumed by one event only, and its facts stay when the event is refused")
    func consumedOnce() async throws {
        try await Bench.with { bench in
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            _ = try await bench.log.append(chain.batch(epoch: 1, call: CallKey.first.attempt()))
            let twice = chain.batch(
                epoch: 1, call: CallKey.first.attempt(), outcomes: [.answered(chain.debate, CallKey.second.attempt())])
            await #expect { try await bench.log.append(twice) } throws: { $0.isBroken }
            #expect(try await bench.events(chain.debate).count == 2)
            #expect(try await bench.callState(chain.debate, .second) == "answered")
        }
    }

    @Test("a batch that is not linked, is of another epoch or is empty is not sent")
    func malformed() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let good = chain.batch(epoch: 1)
            let gap = chain.batch(epoch: 1)
            let bad = [
                EventBatch(debate: chain.debate, epoch: 1, previous: good.previous, events: []),
                EventBatch(debate: chain.debate, epoch: 2, previous: good.previous, events: good.events),
                EventBatch(debate: chain.debate, epoch: 1, previous: good.previous, events: gap.events),
                EventBatch(debate: chain.debate, epoch: 1, previous: good.previous, events: good.events + good.events),
            ]
            for batch in bad { await #expect { try await bench.log.append(batch) } throws: { $0.isBroken } }
            #expect(try await bench.log.append(good) == .appended)
        }
    }

    @Test("only an event that consumes an outcome forgives earlier adoptions")
    func attemptsForgiven() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            var chain = try await bench.held(by: owner).chain
            let rival = try await bench.adopt(from: owner)
            func attempts() async throws -> Int {
                try await bench.pool.query("SELECT attempts FROM debate_runs")[0].int("attempts")
            }
            #expect(try await attempts() == 1)
            _ = try await bench.log.append(chain.batch("round_start", epoch: rival.holding.epoch))
            #expect(try await attempts() == 1)
            _ = try await bench.log.append(chain.batch(epoch: rival.holding.epoch, call: CallKey.first.attempt()))
            #expect(try await attempts() == 0)
        }
    }

    @Test("the log is append only: erasing takes data and salt together, everything else is refused")
    func appendOnly() async throws {
        try await Bench.with { bench in
            let chain = try await bench.debate()
            let forbidden: [SQL] = [
                "UPDATE debate_events SET type = 'x'", "UPDATE debate_events SET data = '{}'::bytea",
                "UPDATE debate_events SET data = ''::bytea", "DELETE FROM debate_events", "TRUNCATE debate_events",
                "UPDATE debate_runs SET last_seq = 0", "UPDATE debate_runs SET lease_epoch = -1",
            ]
            for statement in forbidden {
                await #expect(throws: PGError.self) { try await bench.pool.execute(statement) }
            }
            #expect(try await bench.pool.execute("UPDATE debate_events SET data = ''::bytea, salt = ''::bytea") == 1)
            let erased = try await bench.events(chain.debate)[0]
            #expect(erased.data.isEmpty && erased.salt.isEmpty && erased.hash == chain.tail.hash)
        }
    }
}

extension Error {
    func isLost(to epoch: Int64) -> Bool {
        if case .lost(let current)? = self as? EventLogError { return current == epoch }
        if case .lost(let current)? = self as? RunStoreError { return current == epoch }
        return false
    }

    func isTerminal(_ status: DebateStatus) -> Bool {
        if case .terminal(let found)? = self as? EventLogError { return found == status }
        if case .terminal(let found)? = self as? RunStoreError { return found == status }
        return false
    }

    var isBroken: Bool {
        if case .broken? = self as? EventLogError { return true }
        if case .broken? = self as? RunStoreError { return true }
        return (self as? StorageError)?.code == .broken
    }
}
