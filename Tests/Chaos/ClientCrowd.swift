import Contracts
import Domain
import FaultSupport
import Platform
import Sockets

/// The clients of a plan: each creates a debate by a key, sends that again, watches, cancels, pauses, resumes, remarks.
final class ClientCrowd: Sendable {
    /// How long an answer to a cancel took, from the first try.
    struct Cancel: Sendable {
        let debate: DebateID
        let began: Int64
        let ended: Int64
        let tries: Int
    }

    private struct State {
        var creates: [FleetAudit.Create] = []
        var cancels: [Cancel] = []
        var answers: [String: Int] = [:]
        var accepted = 0
    }

    private static let pause: Duration = .milliseconds(150)
    private static let apis: [Stack.Member] = ChaosPlan.apis.map { .api($0) }
    private static let gateways: [Stack.Member] = ChaosPlan.gateways.map { .gateway($0) }
    /// Longer where nothing is cut off: there every request must be answered.
    private var patience: Duration { stage.endpoints == nil ? .seconds(4) : .seconds(10) }

    private let stage: ChaosStage
    private let plan: ChaosPlan
    private let moreViewers: Int
    private let state = Lock(State())
    private var stack: Stack { stage.stack }

    /// - Parameter moreViewers: shared out among the debates.
    init(stage: ChaosStage, plan: ChaosPlan, moreViewers: Int = 0) {
        self.moreViewers = moreViewers
        self.stage = stage
        self.plan = plan
    }

    var creates: [FleetAudit.Create] { state.withLock { $0.creates } }
    var cancels: [Cancel] { state.withLock { $0.cancels } }
    var accepted: Int { state.withLock { $0.accepted } }
    /// How often each status was answered, by what was asked; `none` where no answer came.
    var answers: [String: Int] { state.withLock { $0.answers } }

    /// Returns when every client has done what it wanted.
    func run(since start: BootInstant) async {
        await withTaskGroup(of: Void.self) { group in
            for client in plan.clients {
                group.addTask(executorPreference: stack.loop) { await self.play(client, since: start) }
            }
            group.addTask(executorPreference: stack.loop) { await self.beScarce(since: start) }
        }
    }

    private func rest(_ duration: Duration) async { try? await stack.loop.sleep(for: duration) }

    private func rest(until due: BootInstant) async {
        let left = due.since(.now())
        if left > .zero { await rest(left) }
    }

    // MARK: One client

    private func play(_ client: ChaosPlan.Client, since start: BootInstant) async {
        await rest(until: start.advanced(by: .milliseconds(client.at)))
        let key = "chaos-\(plan.seed)-\(client.number)"
        let question = "Question \(client.number) of run \(stack.database.name): should we do it at once?"
        let asked = Stack.Asked(
            question: question, rounds: client.rounds, agents: SimulatedProviders.agents, key: key)
        guard let debate = await create(asked, client.number) else { return }
        var create = FleetAudit.Create(key: key, question: question, answers: [debate], viewers: [])
        for number in 0..<client.viewers {
            create.viewers.append(watch(debate, doors(from: client.number + number)))
        }
        let (share, rest) = moreViewers.quotientAndRemainder(dividingBy: plan.clients.count)
        for number in 0..<(share + (client.number <= rest ? 1 : 0)) {
            create.viewers.append(
                watch(
                    debate, number.isMultiple(of: 2) ? Self.gateways : Self.gateways.reversed(),
                    on: stage.viewerLoops[number % stage.viewerLoops.count]))
        }
        state.withLock { $0.accepted += 1 }
        let accepted = BootInstant.now()
        await withTaskGroup(of: DebateID?.self) { group in
            for (place, act) in client.acts.enumerated() {
                let viewers = create.viewers
                group.addTask(executorPreference: stack.loop) {
                    await self.rest(until: accepted.advanced(by: .milliseconds(act.after)))
                    if act.act == .create { return await self.create(asked, client.number + place) }
                    await self.perform(act.act, on: debate, client.number + place, viewers)
                    return nil
                }
            }
            for await again in group { if let again { create.answers.append(again) } }
        }
        let done = create
        state.withLock { $0.creates.append(done) }
    }

    private func doors(from number: Int) -> [Stack.Member] {
        // Behind the balancer of random drains no gateway may be listed, and an api has nobody to pass a viewer on to.
        let doors = stage.endpoints == nil || plan.isRolling ? Self.gateways + Self.apis : Self.gateways
        return doors.indices.map { doors[($0 + number) % doors.count] }
    }

    /// A viewer that goes to the next of these each time; to those that are listed, where somebody lists.
    private func watch(_ debate: DebateID, _ doors: [Stack.Member], on loop: EventLoop? = nil) -> Viewer {
        guard let endpoints = stage.endpoints else { return stack.watch(debate, throughAnyOf: doors, on: loop) }
        return stack.watch(debate, on: loop) { [stack, patience] attempt in
            endpoints.pick(doors, attempt).map { target in
                Viewer.Door(port: stack.ports(of: target.member).main, patience: patience) {
                    endpoints.note(.viewer, at: target, $0)
                }
            }
        }
    }

    private func perform(
        _ act: ChaosPlan.Client.Act, on debate: DebateID, _ number: Int, _ viewers: [Viewer]
    ) async {
        switch act {
        case .cutViewer: for viewer in viewers { await viewer.cut() }
        case .cancel:
            let began = ChaosStage.now()
            let tries = await insist("cancel", number) {
                try await self.stack.act("cancel", on: debate, to: $0, within: self.patience)
            }
            guard let tries else { return }
            state.withLock {
                $0.cancels.append(Cancel(debate: debate, began: began, ended: ChaosStage.now(), tries: tries))
            }
        case .pause, .resume:
            _ = await insist(act.rawValue, number) {
                try await self.stack.act(act.rawValue, on: debate, to: $0, within: self.patience)
            }
        case .remark:
            let body: JSONValue = ["content": "Think of backups."]
            _ = await insist("remark", number) {
                try await self.stack.act("messages", on: debate, body: body.bytes, to: $0, within: self.patience)
            }
        case .create: break
        }
    }

    /// Asks one api, then the other, until one gives an answer that is not about the moment.
    ///
    /// - Returns: how often it asked; nil when the run ended before.
    private func insist(_ what: String, _ number: Int, _ ask: (Stack.Member) async throws -> Stack.Answer) async -> Int?
    {
        var tries = 0
        while !stage.isOver {
            let answer = await send(what, number + tries, ask)
            tries += 1
            if let answer, answer.status < 500, answer.status != 429 { return tries }
            await rest(Self.pause)
        }
        return nil
    }

    private func create(_ asked: Stack.Asked, _ number: Int) async -> DebateID? {
        var tries = 0
        while !stage.isOver {
            let answer = await send("create", number + tries) {
                try await self.stack.ask(asked, to: $0, within: self.patience)
            }
            tries += 1
            if answer?.status == 200, let id = answer?.body["debate_id"]?.string.flatMap({ DebateID($0) }) { return id }
            // Also where a budget is exhausted: it will not be for ever.
            await rest(Self.pause)
        }
        return nil
    }

    /// One request, to an api that is listed where somebody lists.
    private func send(
        _ what: String, _ number: Int, _ ask: (Stack.Member) async throws -> Stack.Answer
    ) async -> Stack.Answer? {
        let target =
            stage.endpoints.map { $0.pick(Self.apis, number) } ?? .init(member: Self.apis[number % Self.apis.count])
        guard let target else { return nil }
        do {
            let answer = try await ask(target.member)
            count(what, answer.status)
            stage.endpoints?.note(.client, at: target, answer.status < 500 ? nil : "\(what): status \(answer.status)")
            return answer
        } catch {
            count(what, nil)
            stage.endpoints?.note(.client, at: target, "\(what): \(error)")
            return nil
        }
    }

    private func count(_ what: String, _ status: Int?) {
        state.withLock { $0.answers["\(what) \(status.map(String.init) ?? "none")", default: 0] += 1 }
    }

    // MARK: Money

    /// A budget that is too small comes and goes.
    private func beScarce(since start: BootInstant) async {
        await rest(until: start.advanced(by: .milliseconds(plan.scarcity.from)))
        let limit: JSONValue = ["name": "scarce", "limit_amount": .double(0.15), "period": "total"]
        var budget: String?
        while budget == nil, !stage.isOver {
            let answer = await send("budget", 0) {
                try await self.stack.send("POST", "/api/v1/budgets", body: limit.bytes, to: $0, within: self.patience)
            }
            budget = answer.flatMap { $0.status == 201 ? $0.body["id"]?.string : nil }
            if budget == nil { await rest(Self.pause) }
        }
        await rest(until: start.advanced(by: .milliseconds(plan.scarcity.to)))
        guard budget != nil else { return }
        // All of them: a create that was not answered may have been done.
        let answer = Lock<JSONValue>(.null)
        _ = await insist("budgets", 0) {
            let page = try await self.stack.send("GET", "/api/v1/budgets", to: $0, within: self.patience)
            answer.withLock { $0 = page.body }
            return page
        }
        let more: JSONValue = ["limit_amount": .double(1000)]
        for one in answer.withLock({ $0 })["budgets"]?.array ?? [] {
            guard let id = one["id"]?.string else { continue }
            _ = await insist("more budget", 0) {
                try await self.stack.send(
                    "PATCH", "/api/v1/budgets/\(id)", body: more.bytes, to: $0, within: self.patience)
            }
        }
    }
}
