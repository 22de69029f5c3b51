import Contracts
import Crypto
import Domain
import HTTPClient
import Ledger
import Platform

/// One debate from question to verified receipt, as any client of a running stack has it.
struct DebateClient: Sendable {
    /// How the debate is shown.
    enum Form: Sendable {
        /// Each turn as it comes.
        case whole
        /// The decision, the dissent and the receipt.
        case brief
        /// For programs: each event as the line it came as, or the receipt alone.
        case eventLines, receiptJSON
    }

    let context: CommandContext
    let form: Form

    func run(question: String, rounds: Int?, agents: [String]) async throws -> ExitCode {
        let settings = context.settings
        let api = APIClient(
            base: try settings.baseURL(), token: try settings.apiToken(), caFile: try settings.caFile(),
            loop: context.loop)
        let stream = DebateStream(
            address: try settings.webSocketURL(), token: try settings.apiToken(), caFile: try settings.caFile(),
            loop: context.loop)
        let keys = try settings.receiptKeys()
        let outcome: Result<ExitCode, any Error>
        do {
            let created = try await api.create(question: question, rounds: rounds, agents: agents)
            let events = try await show(created, stream)
            outcome = .success(try await conclude(created, events, api, keys))
        } catch { outcome = .failure(error) }
        await api.close()
        return try outcome.get()
    }

    /// What the debate would cost; nobody is asked.
    func estimate(question: String, rounds: Int?, agents: [String]) async throws -> ExitCode {
        let settings = context.settings
        let api = APIClient(
            base: try settings.baseURL(), token: try settings.apiToken(), caFile: try settings.caFile(),
            loop: context.loop)
        let outcome: Result<[UInt8], any Error>
        do { outcome = .success(try await api.estimate(question: question, rounds: rounds, agents: agents)) } catch {
            outcome = .failure(error)
        }
        await api.close()
        let bytes = try outcome.get()
        if form == .receiptJSON {
            context.console.print(String(decoding: bytes, as: UTF8.self))
        } else {
            for line in try ClientForms.estimate(bytes) { context.console.print(TerminalText.safe(line)) }
        }
        return .ok
    }

    private func show(_ created: ClientForms.Created, _ stream: DebateStream) async throws -> [SealedEvent] {
        let console = context.console
        var screen = DebateScreen(console: console, isBrief: form == .brief)
        if form == .whole || form == .brief {
            for line in screen.heading(created.id, isDemo: created.isDemo) { console.print(line) }
        }
        return try await stream.follow(created.id) { update in
            switch update {
            case .event(let event):
                console.endProgress()
                printEvent(event, created.id, &screen)
            case .writing(let agent): console.progress("\(agent) is writing …")
            case .reconnecting(let reason): console.progress("reconnecting: \(reason)")
            case .reset:
                console.note("The server's log was restored from a backup; it is shown again from its beginning.")
            case .warning(let text): console.note(TerminalText.safe(text))
            }
        }
    }

    private func printEvent(_ event: SealedEvent, _ debate: DebateID, _ screen: inout DebateScreen) {
        switch form {
        case .whole, .brief: for line in screen.lines(for: event) { context.console.print(line) }
        case .eventLines:
            context.console.print(String(decoding: EventEnvelope.encode(event, debateID: debate), as: UTF8.self))
        case .receiptJSON: break
        }
    }

    /// Fetches the receipt of what was seen, checks it against what was seen, and says so.
    private func conclude(
        _ created: ClientForms.Created, _ events: [SealedEvent], _ api: APIClient, _ keys: KeyRing?
    ) async throws -> ExitCode {
        let isCompleted = Self.status(events) == .completed
        let report = VerificationReport(console: context.console)
        let isForPeople = form == .whole || form == .brief
        if isForPeople { context.console.print(report.chain(events: events.count)) }
        guard events.contains(where: { $0.type == "receipt_generated" }) else {
            if isForPeople { context.console.print(report.bad("this debate has no receipt")) }
            return .failed
        }
        let bytes = try await api.receipt(of: created.id)
        let found = try ReceiptVerifier(keys: keys).verify(bytes, events: events)
        var isGood = found.isGood && found.chain == .valid && found.debateID == created.id
        var server: (isIntact: Bool, signature: (isValid: Bool, keyID: String?))?
        if keys == nil {
            server = try await api.verify(found.receiptID)
            isGood = isGood && server?.isIntact == true
        }
        if isForPeople {
            for line in report.receipt(found, server: server) { context.console.print(line) }
            if created.isDemo {
                context.console.print(
                    context.console.styled("The answers came from demonstration agents, not from a model.", .yellow))
            }
        }
        if form == .receiptJSON { context.console.print(String(decoding: bytes, as: UTF8.self)) }
        return isCompleted && isGood ? .ok : .failed
    }

    private static func status(_ events: [SealedEvent]) -> DebateStatus? {
        guard let last = events.last, case .debateEnd(let end) = try? EventCodec.decode(last) else { return nil }
        return end.status
    }
}
