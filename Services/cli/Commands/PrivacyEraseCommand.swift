import Contracts
import Domain
import Platform
import Storage

/// `aragora privacy erase`.
struct PrivacyEraseCommand: Command {
    static let shape = CommandShape(
        path: ["privacy", "erase"], summary: "Takes away what was said in a debate, or in all debates of a user.",
        details: """
            Questions, answers, votes' reasons and receipts' texts go, and who asked; numbers, types, times, names of agents and
            hashes stay, so that every chain and receipt still verifies. Only debates that are over; each in one transaction, so
            that a run that was cut short is simply run again. Of a user, also what they said in debates of others. Exit code 1
            when something could not be erased.
            """,
        options: [
            .value("--debate", "ID", "One debate, dbt_…"),
            .value("--user", "NAME", "All debates of a principal, as created_by names it."),
            .flag("--dry-run", "Changes nothing; says what would be erased."),
            .flag("--yes", "Does it: it can not be undone."), .flag("--json", "One JSON object a line."),
        ], examples: ["aragora privacy erase --user service --dry-run", "aragora privacy erase --debate dbt_… --yes"])

    private let subject: DataSubject
    private let isDryRun: Bool
    private let isConfirmed: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        switch (arguments.value("--debate"), arguments.value("--user")) {
        case (let text?, nil):
            guard let id = DebateID(text) else {
                throw Arguments.UsageError("\"\(text)\" is not the id of a debate (dbt_ and 26 characters)")
            }
            subject = .debate(id)
        case (nil, let name?): subject = .user(name)
        default: throw Arguments.UsageError("either --debate or --user is needed")
        }
        isDryRun = arguments.has("--dry-run")
        isConfirmed = arguments.has("--yes")
        isJSON = arguments.has("--json")
        guard isDryRun || isConfirmed else {
            throw Arguments.UsageError("this can not be undone: --dry-run shows what would be erased, --yes does it")
        }
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let keys = try context.settings.receiptKeys()
        var (erased, remaining) = (0, 0)
        try await Database.with(context) { pool in
            try await ReplayCache.with(context, pool, isDryRun: isDryRun) { forget in
                var eraser = Eraser(pool: pool, keys: keys, isDryRun: isDryRun, forget: forget)
                try await eraser.run(subject) { step in
                    switch step.outcome {
                    case .erased: erased += 1
                    case .alreadyErased: break
                    case .notFound, .notEnded, .onLegalHold: remaining += 1
                    }
                    show(step, context.console)
                }
            }
        }
        if case .user(let name) = subject, let id = UserID(name) {
            if try await eraseAccount(id, isClear: remaining == 0, context) { erased += 1 } else { remaining += 1 }
        }
        conclude(erased, remaining, context.console)
        return remaining == 0 ? .ok : .failed
    }

    /// Last, so that a run that was cut short still finds the debates by the user's id.
    /// - Returns: false when it remains.
    private func eraseAccount(_ id: UserID, isClear: Bool, _ context: CommandContext) async throws -> Bool {
        let outcome: AccountErasure.Outcome? = try await Database.with(context) { pool in
            let accounts = AccountErasure(pool: pool)
            guard !isDryRun && isClear else { return try await accounts.held(id) == nil ? .notFound : nil }
            return try await accounts.erase(id)
        }
        let (word, sentence, isDone): (String, String, Bool) =
            switch outcome {
            case .erased: ("erased", "the account is erased", true)
            case .notFound: ("not_found", "there is no such account", true)
            case .lastAdministrator:
                ("last_administrator", "is its organization's last administrator: make another", false)
            case nil where isDryRun: ("erased", "the account would be erased", true)
            case nil: ("waiting", "the account is erased when nothing of its debates remains", false)
            }
        let line = PrivacyReports.accountErasure(id, outcome: word, isDryRun: isDryRun)
        let report = VerificationReport(console: context.console)
        if isJSON {
            context.console.print(String(decoding: CanonicalJSON.encode(line), as: UTF8.self))
        } else {
            let text = "\(id.text): \(sentence)"
            context.console.print(isDone ? (isDryRun ? report.note(text) : report.good(text)) : report.bad(text))
        }
        return isDone
    }

    private func show(_ step: Eraser.Step, _ console: Console) {
        let (name, events, sentence) = Self.words(step.outcome, step.scope, isDryRun: isDryRun)
        guard !isJSON else {
            let line = PrivacyReports.erasure(
                of: step.debate, scope: step.scope.rawValue, outcome: name, events: events, isDryRun: isDryRun)
            return console.print(String(decoding: CanonicalJSON.encode(line), as: UTF8.self))
        }
        let report = VerificationReport(console: console)
        let text = "\(step.debate): \(sentence)"
        switch step.outcome {
        case .erased: console.print(isDryRun ? report.note(text) : report.good(text))
        case .alreadyErased: console.print(report.note(text))
        case .notFound, .notEnded, .onLegalHold: console.print(report.bad(text))
        }
    }

    private static func words(
        _ outcome: ErasureStore.Outcome, _ scope: Eraser.Step.Scope, isDryRun: Bool
    ) -> (name: String, events: Int, sentence: String) {
        let what = scope == .debate ? "everything said in it" : "what the user said in it"
        switch outcome {
        case .erased(let events):
            return ("erased", events, isDryRun ? "\(what) would be erased" : "\(what) is erased, \(events) events")
        case .alreadyErased: return ("already_erased", 0, "was erased before")
        case .notFound: return ("not_found", 0, "there is no such debate")
        case .notEnded(let status):
            return ("not_ended", 0, "is \(status.rawValue): cancel it, or wait for its end")
        case .onLegalHold: return ("legal_hold", 0, "its receipt is on legal hold")
        }
    }

    private func conclude(_ erased: Int, _ remaining: Int, _ console: Console) {
        guard !isJSON else {
            let end = PrivacyReports.erasureEnd(
                erased: erased, remaining: remaining, isDryRun: isDryRun,
                at: Timestamp(milliseconds: WallClock.nowMilliseconds()))
            return console.print(String(decoding: CanonicalJSON.encode(end), as: UTF8.self))
        }
        let verb = isDryRun ? "would be erased" : "erased"
        console.print("\(erased) \(verb), \(remaining) remaining")
        guard !isDryRun && erased > 0 else { return }
        console.print(
            """
            Not reached: backups, which keep it until their retention removes them (repeat this after a restore of one), copies at
            the model providers, receipts and exports that somebody has, logs of other programs, and what models wrote about a
            remark in somebody else's debate.
            """)
    }
}
