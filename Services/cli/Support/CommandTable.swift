/// All commands, and which one a command line means.
enum CommandTable {
    static let commands: [any Command.Type] = [
        DemoCommand.self, AskCommand.self, DebateReplayCommand.self, DebateExportCommand.self,
        ReceiptVerifyCommand.self, TokenCreateCommand.self, BudgetListCommand.self, BudgetShowCommand.self,
        BudgetSetCommand.self, BudgetDeleteCommand.self, WebhooksDeadCommand.self, WebhooksRetryCommand.self,
        QueueDeadCommand.self, QueueRequeueCommand.self,
        DBMigrateCommand.self, DBVerifyCommand.self, BackupCreateCommand.self, BackupListCommand.self,
        BackupVerifyCommand.self, BackupRestoreCommand.self, PrivacyExportCommand.self, PrivacyEraseCommand.self,
        RatingsRebuildCommand.self, KeysStatusCommand.self, KeysRotateCommand.self, ValidateEnvCommand.self,
        DoctorCommand.self, SimulateCommand.self,
    ]

    enum Resolution {
        case command(any Command.Type, [String])
        /// `--help` of all, or of a group such as `backup`.
        case overview(String)
        case version
        case misunderstood(String)
    }

    static func resolve(_ words: [String]) -> Resolution {
        guard let first = words.first else { return .misunderstood("no command\n\(overview(commands))") }
        if first == "--version" || first == "version" { return .version }
        if first == "--help" || first == "-h" || first == "help" { return .overview(overview(commands)) }
        if let found = commands.first(where: { words.starts(with: $0.shape.path) }) {
            return .command(found, Array(words.dropFirst(found.shape.path.count)))
        }
        let group = commands.filter { $0.shape.path.count > 1 && $0.shape.path[0] == first }
        guard !group.isEmpty else {
            let known = Array(Set(commands.map { $0.shape.path[0] })).sorted()
            return .misunderstood(
                "unknown command \(first)\(Suggestion.sentence(for: first, among: known)); see aragora --help")
        }
        guard let second = words.dropFirst().first else {
            return .misunderstood("\(first) needs a command\n\(overview(group))")
        }
        if second == "--help" || second == "-h" { return .overview(overview(group)) }
        let hint = Suggestion.sentence(for: second, among: group.map { $0.shape.path[1] })
        return .misunderstood("unknown command \(first) \(second)\(hint); see aragora \(first) --help")
    }

    private static func overview(_ commands: [any Command.Type]) -> String {
        """
        Usage: aragora <command> [options]

        \(CommandShape.table(commands.map { ($0.shape.name, $0.shape.summary) }))
        aragora <command> --help says more. Settings come from the environment; docs/configuration.md lists them.
        """
    }
}
