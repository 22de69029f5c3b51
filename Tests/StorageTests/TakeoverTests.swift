import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

/// Ends: by the holder, and by those who become it for one transaction.
@Suite(.needsPostgres)
struct TakeoverTests {
    @Test("the holder's end stores events, receipt, projection and status together")
    func conclude() async throws {
        try await Bench.with { bench in
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            try await bench.command(.pause, of: chain.debate)
            let receipt = try chain.receipt()
            let (batch, conclusion) = chain.end(epoch: 1, receipt: receipt)
            let settled = EventBatch(
                debate: batch.debate, epoch: 1, previous: batch.previous, events: batch.events,
                outcomes: [.answered(chain.debate, CallKey.second.attempt())])
            #expect(try await bench.log.conclude(settled, conclusion) == .appended)
            #expect(try await bench.log.conclude(settled, conclusion) == .alreadyApplied)

            let record = try await bench.record(chain.debate)
            #expect(record.status == .completed && record.owner == nil && record.tail == chain.tail)
            #expect(record.finalAnswer == "Postgres")
            let result = try #require(record.summary.result)
            #expect(
                result.confidence == Ratio(0.8125) && result.duration == Ratio(12.5) && result.cost == MicroUSD(4200))
            #expect(result.completedAt == batch.events.last?.at && result.roundsUsed == 2 && result.consensusReached)
            #expect(try await bench.callState(chain.debate, .first) == "unknown")
            #expect(try await bench.callState(chain.debate, .second) == "answered")
            #expect(try await bench.receipts.receipt(of: chain.debate) == receipt)
            #expect(try await bench.receipts.receipt(receipt.id, within: .installation) == receipt)
            #expect(try await bench.count("debate_commands WHERE rejected_at IS NOT NULL") == 1)
        }
    }

    @Test("an end of another epoch changes nothing but the cost of its calls")
    func concludeFenced() async throws {
        try await Bench.with { bench in
            let zombie = try await bench.runner()
            var (chain, holding) = try await bench.held(by: zombie)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            _ = try await bench.adopt(from: zombie)
            let (batch, conclusion) = chain.end(epoch: 1, receipt: try chain.receipt())
            let late = EventBatch(
                debate: batch.debate, epoch: 1, previous: batch.previous, events: batch.events,
                outcomes: [.answered(chain.debate, CallKey.first.attempt())])
            await #expect { try await bench.log.conclude(late, conclusion) } throws: { $0.isLost(to: 2) }
            #expect(try await bench.record(chain.debate).summary.result == nil)
            #expect(try await bench.count("receipts") == 0)
            #expect(try await bench.events(chain.debate).count == 1)
            #expect(try await bench.callState(chain.debate, .first) == "answered")
        }
    }

    @Test("an end from the wrong place of the log is a bug, and changes nothing")
    func concludeWrongTail() async throws {
        try await Bench.with { bench in
            let chain = try await bench.held(by: try await bench.runner()).chain
            var wrong = TestChain(chain.debate, tail: LogTail(seq: 3, hash: chain.tail.hash))
            let (batch, conclusion) = wrong.end(epoch: 1)
            await #expect { try await bench.log.conclude(batch, conclusion) } throws: { $0.isBroken }
            #expect(try await bench.record(chain.debate).status == .running)
        }
    }

    @Test("the terminal status is written once, also by hand")
    func writtenOnce() async throws {
        try await Bench.with { bench in
            let chain = try await bench.debate()
            try await bench.end(chain.debate)
            for statement: SQL in [
                "UPDATE debate_runs SET status = 'completed'", "UPDATE debate_runs SET last_seq = last_seq + 1",
                "UPDATE debate_runs SET status = 'running', lease_owner = 'me'",
            ] {
                await #expect(throws: PGError.self) { try await bench.pool.execute(statement) }
            }
        }
    }

    @Test("cancels before the start, while paused and while running; the old holder is told no and named")
    func cancel() async throws {
        try await Bench.with { bench in
            let queued = try await bench.debate().debate
            let paused = try await bench.debate().debate
            try await bench.command(.pause, of: paused)
            let runner = try await bench.runner()
            var running = try await bench.held(by: runner)
            for debate in [queued, paused] {
                guard case .ended(let events, _, let owner) = try await bench.end(debate) else {
                    throw Surprise("not ended")
                }
                #expect(events.map(\.type) == ["debate_end"] && owner == nil)
                #expect(try await bench.record(debate).status == .cancelled)
            }
            guard case .ended(_, let epoch, let owner) = try await bench.end(running.chain.debate) else {
                throw Surprise("not ended")
            }
            #expect(epoch == 2 && owner == runner)
            let late = running.chain.batch(epoch: 1)
            await #expect { try await bench.log.append(late) } throws: { $0.isTerminal(.cancelled) }
            #expect(try await bench.runs.release(running.holding, runner: runner, to: .queued) == .notOurs)
        }
    }

    @Test("NO_CANCEL_SETTLE: cancel gives up what the old holder had in flight, and says so before the end")
    func cancelSettles() async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            try await bench.runs.settle([.answered(chain.debate, CallKey.second.attempt())])
            try await bench.end(chain.debate)
            #expect(try await bench.count("agent_calls WHERE state = 'intent'") == 0)
            #expect(try await bench.callState(chain.debate, .first) == "unknown")
            #expect(
                try await bench.events(chain.debate).map(\.type) == ["debate_start", "call_abandoned", "debate_end"])
        }
    }

    @Test("what has ended is left alone, and what does not exist is not found")
    func alreadyEnded() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let (batch, conclusion) = chain.end(epoch: 1)
            _ = try await bench.log.conclude(batch, conclusion)
            guard case .alreadyEnded(.completed) = try await bench.end(chain.debate) else {
                throw Surprise("ended twice")
            }
            guard case .notFound = try await bench.end(try Draft().chain.debate) else { throw Surprise("found") }
        }
    }

    @Test("the end sees the whole log, and a closure that fails or makes a misfit changes nothing")
    func sealFails() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            _ = try await bench.log.append(chain.batch(epoch: 1))
            let debate = chain.debate
            await #expect(throws: Surprise.self) {
                try await bench.takeover.end(debate, because: .cancelled) { run in
                    #expect(run.events.count == 2 && run.status == .running && run.epoch == 2)
                    throw Surprise("no")
                }
            }
            let tail = chain.tail
            for (type, epoch) in [("debate_end", Int64(1)), ("agent_message", 2)] {
                await #expect {
                    try await bench.takeover.end(debate, because: .cancelled) { _ in
                        var own = TestChain(debate, tail: tail)
                        return Takeover.Ending(
                            events: [own.next(type, epoch: epoch)], conclusion: TestChain.conclusion(.cancelled))
                    }
                } throws: { $0.isBroken }
            }
            #expect(try await bench.record(debate).status == .running)
            #expect(try await bench.events(debate).count == 2)
        }
    }

    @Test("a cancel that races the end gives exactly one terminal state and one debate_end, last")
    func race() async throws {
        try await Bench.with(poolSize: 6) { bench in
            let runner = try await bench.runner()
            var winners: [DebateStatus: Int] = [:]
            for _ in 0..<25 {
                var chain = try await bench.held(by: runner).chain
                let message = chain.batch(epoch: 1)
                let (batch, conclusion) = chain.end(epoch: 1)
                let debate = chain.debate
                async let cancelled = bench.end(debate)
                async let concluded = Task {
                    _ = try await bench.log.append(message)
                    return try await bench.log.conclude(batch, conclusion)
                }.result
                let (cancel, end) = (try await cancelled, await concluded)
                let status = try await bench.record(debate).status
                winners[status, default: 0] += 1
                switch (cancel, end) {
                case (.ended, .failure): #expect(status == .cancelled)
                case (.alreadyEnded(.completed), .success): #expect(status == .completed)
                default: Issue.record("\(cancel) and \(end)")
                }
                let types = try await bench.events(debate).map(\.type)
                #expect(types.last == "debate_end" && types.filter { $0 == "debate_end" }.count == 1)
            }
            #expect(winners.values.reduce(0, +) == 25)
        }
    }

    @Test("the watchdog ends what is overdue or stalled, and looks again under the lock")
    func watchdog() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            let overdue = try await bench.held(by: runner).chain.debate
            let stalled = try await bench.held(by: runner).chain.debate
            let fine = try await bench.held(by: runner).chain.debate
            let queued = try await bench.debate().debate
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET deadline = now() - interval '1 second' WHERE debate_id = ANY (\([overdue.text, queued.text]))"
            )
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET last_progress_at = now() - interval '601 seconds' WHERE debate_id = \(stalled.text)"
            )
            let silence = Takeover.Reason.stalled(.seconds(600))
            #expect(try await bench.takeover.due(.overdue, limit: 10) == [overdue])
            #expect(try await bench.takeover.due(silence, limit: 10) == [stalled])

            for (debate, reason) in [(fine, Takeover.Reason.overdue), (fine, silence), (queued, .overdue)] {
                guard case .notDue = try await bench.end(debate, because: reason) else {
                    throw Surprise("ended \(debate)")
                }
            }
            guard case .ended = try await bench.end(overdue, because: .overdue, as: .timeout) else {
                throw Surprise("overdue")
            }
            guard case .ended = try await bench.end(stalled, because: silence, as: .failed) else {
                throw Surprise("stalled")
            }
            #expect(try await bench.record(overdue).status == .timeout)
            #expect(try await bench.record(stalled).status == .failed)
            #expect(try await bench.takeover.due(.overdue, limit: 10).isEmpty)
        }
    }
}
