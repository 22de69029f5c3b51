import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Does what somebody asks for in a chat, whatever chat it is.
struct BotDesk: Sendable {
    static let leaders = 5

    let stores: APIStores
    let create: CreateDebateHandler
    let actions: DebateActionsHandler
    let target: WebhookTarget
    let store: WebhookStore
    let log: Log
    private var lookup: DebateLookup { DebateLookup(stores: stores) }

    /// What is said to who asked.
    struct Reply {
        let text: String
        var debate: DebateID?
        /// Whether a debate was begun by it, whose beginning and end are told by themselves.
        var isBegun = false
    }

    /// A request of a person in a chat.
    struct Asking {
        let command: ChatCommand
        /// Not the same for any other request.
        let key: String
        let context: RequestContext
        let channel: CallbackChannel
        /// What people are shown of where answers go.
        let place: String
        /// Where answers go: a document to be sealed, with the question when they are about one.
        let address: (_ question: String?) -> [UInt8]
    }

    /// Never throws: what went wrong is an answer too.
    func answer(_ asking: Asking) async -> Reply {
        do { return try await run(asking) } catch let failure as ValidationFailure {
            return Reply(text: failure.problems.map { "\($0.field) \($0.message)" }.joined(separator: "; "))
        } catch let error as APIError {
            return Reply(text: error.message ?? error.code.sentence)
        } catch {
            log.warning("chat command failed", .error(error))
            return Reply(text: ErrorCode.internalError.sentence)
        }
    }

    private func run(_ asking: Asking) async throws -> Reply {
        switch asking.command {
        case .ask, .plan, .implement: try await begin(asking)
        case .status(nil): try await installation()
        case .status(let name?): try await status(of: name, asking)
        case .vote(let debate, let choice): try await vote(choice, in: debate, asking)
        case .leaderboard: try await leaderboard()
        case .help: Self.help
        }
    }

    /// Ends a debate for whoever began it.
    func stop(_ name: String, _ context: RequestContext) async -> Reply {
        do {
            let record = try lookup.mayChange(try await lookup.debate(name, context), context)
            _ = try await actions.cancel(record, context)
            return Reply(text: "The debate is stopped.", debate: record.id)
        } catch let error as APIError {
            return Reply(text: error.message ?? error.code.sentence)
        } catch { return Reply(text: ErrorCode.internalError.sentence) }
    }

    /// Sends a reply as a message of its own, once for all requests with this key.
    func say(_ reply: Reply, as asking: Asking) async throws {
        guard let box = target.box else { return }
        let message = "msg_" + Hex.encode(Array(SHA256.hash(Array(asking.key.utf8)).prefix(16)))
        let callback = DebateCallback(
            channel: asking.channel, target: asking.place,
            address: try box.seal(asking.address(nil), for: DebateCallback.purpose(replying: message)))
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        do {
            try await store.reply(
                ChatNotice.reply(reply.text, debate: reply.debate, at: now), type: ChatNotice.replyType, to: callback,
                message: message, of: asking.context.caller.organization)
        } catch { throw APIError.unavailable(error) }
    }

    // MARK: Debates

    private func begin(_ asking: Asking) async throws -> Reply {
        let question = asking.command.question ?? ""
        let box = try target.sealing()
        var fields = JSONObject([("question", .string(question))])
        if let context = asking.command.context { fields["context"] = .string(context) }
        let document = CanonicalJSON.encode(fields)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        var debate = try await create.prepare(
            try CreateDebateRequest.parse(document), at: now, asking.context
        ) { id, spec in
            IdempotentRequest(
                principal: asking.context.caller.subject, key: asking.key, requestHash: SHA256.hash(document),
                answer: StoredAnswer(
                    status: 200,
                    body: CanonicalJSON.encode(DebateAnswers.created(id: id, spec: spec, createdAt: now))))
        }
        debate.callbacks = [
            DebateCallback(
                channel: asking.channel, target: asking.place,
                address: try box.seal(
                    asking.address(question), for: DebateCallback.purpose(debate.id.text, asking.channel)),
                opening: ChatNotice.started(
                    debate.id, question: question, agents: debate.spec.agents.map(\.name), at: now))
        ]
        guard try await create.admit(debate, asking.context) == nil else { return Reply(text: "", isBegun: true) }
        switch try await create.keep(debate, asking.context) {
        case .created: break
        case .replayed(let earlier):
            let id = (try? JSONParser.parse(earlier.body))?["debate_id"]?.string.flatMap(DebateID.init)
            return Reply(text: "The panel debates it: \(id?.text ?? "")", debate: id, isBegun: true)
        case let outcome: _ = try CreateDebateHandler.answer(outcome, [])
        }
        return Reply(text: "The panel debates it: \(debate.id.text)", debate: debate.id, isBegun: true)
    }

    private func status(of name: String, _ asking: Asking) async throws -> Reply {
        let record = try await lookup.debate(name, asking.context)
        let question = ChatNotice.cut(record.summary.topic, ChatNotice.maximumQuestionCharacters)
        var lines = ["\(question)", "Status: \(record.status.clientText)"]
        if let result = record.summary.result {
            lines.append(
                (result.consensusReached ? "The panel agrees" : "The panel does not agree")
                    + ", confidence \(Int((result.confidence.value * 100).rounded())) %")
        }
        if let answer = record.finalAnswer {
            lines.append(ChatNotice.cut(answer, ChatNotice.maximumAnswerCharacters))
        }
        return Reply(text: lines.joined(separator: "\n"), debate: record.id)
    }

    private func vote(_ choice: String, in name: String, _ asking: Asking) async throws -> Reply {
        let record = try await lookup.debate(name, asking.context)
        let content = "I favour: " + ChatNotice.cut(choice, DebateActionsHandler.maxRemarkCharacters - 20)
        let remark = Remark(content)
        _ = try await actions.command(.remark(remark), in: record, asking.context)
        return Reply(text: "Noted; the panel weighs it from the next round on.", debate: record.id)
    }

    // MARK: The installation

    private func installation() async throws -> Reply {
        let queue: QueueStatus
        do { queue = try await stores.queue.status() } catch { throw APIError.unavailable(error) }
        return Reply(
            text:
                "\(queue.waiting) debates wait, \(queue.running) run, \(queue.paused) pause; \(queue.workers) workers.")
    }

    private func leaderboard() async throws -> Reply {
        let page: Page<AgentRating>
        do { page = try await stores.ratings.leaderboard(limit: Self.leaders, offset: 0, minMatches: 1) } catch {
            throw APIError.unavailable(error)
        }
        guard !page.items.isEmpty else { return Reply(text: "No debate was rated yet.") }
        let lines = page.items.enumerated().map { place, rating in
            "\(place + 1). \(rating.agent.provider.rawValue) \(rating.agent.model): "
                + "\(Int(rating.elo.value.rounded())) points, \(rating.matches) debates"
        }
        return Reply(text: lines.joined(separator: "\n"))
    }

    private static let help = Reply(
        text: (["What you can say:"] + ChatCommand.usage.map { "\($0.words): \($0.about)" }).joined(separator: "\n"))
}
