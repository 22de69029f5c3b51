import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

@Suite(.needsPostgres)
struct CommandTests {
    @Test("commands to a held debate are numbered and wait for the holder")
    func stored() async throws {
        try await Bench.with { bench in
            let debate = try await bench.held(by: try await bench.runner()).chain.debate
            #expect(try await bench.command(.remark(Remark("hello")), of: debate) == .stored(number: 1))
            #expect(try await bench.command(.pause, of: debate) == .stored(number: 2))
            let expected = [
                DebateCommand(number: 1, kind: .remark(Remark("hello")), author: "ann"),
                DebateCommand(number: 2, kind: .pause, author: "ann"),
            ]
            #expect(try await bench.runs.commands(debate, after: 0) == expected)
            #expect(try await bench.runs.commands(debate, after: 1) == [expected[1]])
            #expect(try await bench.events(debate).count == 1)
        }
    }

    @Test("without a holder a command is an event at once, under a raised epoch")
    func vacant() async throws {
        try await Bench.with { bench in
            let debate = try await bench.debate().debate
            guard case .applied(let event, .paused) = try await bench.command(.pause, of: debate) else {
                throw Surprise("pause")
            }
            #expect(event.epoch == 1 && event.seq == 2)
            #expect(try await bench.command(.pause, of: debate) == .unchanged(.paused))
            guard case .applied(_, .paused) = try await bench.command(.remark(Remark("hi")), of: debate) else {
                throw Surprise("message")
            }
            #expect(try await bench.runs.claim(debate, runner: try await bench.runner()) == nil)
            guard case .applied(let resumed, .queued) = try await bench.command(.resume, of: debate) else {
                throw Surprise("resume")
            }
            #expect(resumed.epoch == 3)
            #expect(try await bench.command(.resume, of: debate) == .unchanged(.queued))
            #expect(try await bench.runs.claim(debate, runner: try await bench.runner())?.epoch == 4)
            #expect(try await bench.events(debate).map(\.epoch) == [0, 1, 2, 3])
        }
    }

    @Test("an ended debate takes none, and a debate takes no more than its limit")
    func refused() async throws {
        try await Bench.with { bench in
            let ended = try await bench.debate().debate
            try await bench.end(ended)
            #expect(try await bench.command(.pause, of: ended) == .ended(.cancelled))
            #expect(try await bench.command(.pause, of: try Draft().chain.debate) == .notFound)
            let held = try await bench.held(by: try await bench.runner()).chain.debate
            for number in 1...CommandStore.maxWaiting {
                #expect(try await bench.command(.remark(Remark("more")), of: held) == .stored(number: Int64(number)))
            }
            #expect(try await bench.command(.remark(Remark("too much")), of: held) == .tooMany)
        }
    }

    @Test("a debate is not let go while a command waits")
    func release() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: runner)
            try await bench.command(.pause, of: chain.debate)
            let waiting = DebateCommand(number: 1, kind: .pause, author: "ann")
            #expect(try await bench.runs.release(holding, runner: runner, to: .queued) == .commandsWaiting([waiting]))
            let previous = chain.tail
            let event = chain.next("debate_paused", epoch: 1)
            _ = try await bench.log.append(
                EventBatch(debate: chain.debate, epoch: 1, previous: previous, events: [event], consumedCommands: 1))
            #expect(try await bench.runs.release(holding, runner: runner, to: .paused) == .released)
            // Its answer lost, it is asked again.
            #expect(try await bench.runs.release(holding, runner: runner, to: .paused) == .released)
            #expect(try await bench.record(chain.debate).status == .paused)
        }
    }

    @Test("a stranger, an old epoch and a wrong status release nothing")
    func releaseRefused() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            let holding = try await bench.held(by: runner).holding
            let old = Holding(debate: holding.debate, epoch: 0)
            #expect(try await bench.runs.release(old, runner: runner, to: .queued) == .notOurs)
            await #expect { try await bench.runs.release(holding, runner: runner, to: .completed) } throws: {
                $0.isBroken
            }
            #expect(try await bench.record(holding.debate).owner == runner)
        }
    }

    @Test("a command that races a release is either waited for or applied, never lost")
    func race() async throws {
        try await Bench.with(poolSize: 6) { bench in
            let runner = try await bench.runner()
            for _ in 0..<25 {
                let holding = try await bench.held(by: runner).holding
                async let released = bench.runs.release(holding, runner: runner, to: .queued)
                async let taken = bench.command(.remark(Remark("now")), of: holding.debate)
                switch (try await released, try await taken) {
                case (.released, .applied(_, .queued)): #expect(try await bench.events(holding.debate).count == 2)
                case (.commandsWaiting(let commands), .stored(number: 1)): #expect(commands.count == 1)
                case let other: Issue.record("\(other)")
                }
                // Nothing that stands in the queue may hide a command.
                #expect(
                    try await bench.count("debate_runs WHERE status <> 'running' AND next_command <> consumed_seq + 1")
                        == 0)
                if try await bench.record(holding.debate).status == .queued { try await bench.end(holding.debate) }
            }
        }
    }
}
