/// What may follow a command's name, and what its `--help` says.
struct CommandShape: Sendable {
    /// `--name VALUE`, or a switch when it takes none.
    struct Option: Sendable {
        let name: String
        /// What the value is called in the help; nil for a switch.
        let value: String?
        let help: String

        static func flag(_ name: String, _ help: String) -> Option { Option(name: name, value: nil, help: help) }
        static func value(_ name: String, _ value: String, _ help: String) -> Option {
            Option(name: name, value: value, help: help)
        }
    }

    /// An argument without a name.
    struct Positional: Sendable {
        let name: String
        let help: String
        var isRequired = true
    }

    /// The words that name it: `["backup", "create"]`.
    let path: [String]
    /// One line, for the list of commands.
    let summary: String
    /// What else a reader of `--help` should know.
    var details = ""
    var options: [Option] = []
    var positionals: [Positional] = []
    var examples: [String] = []

    var name: String { path.joined(separator: " ") }

    /// The text of `--help`.
    var help: String {
        let words =
            positionals.map { $0.isRequired ? $0.name : "[\($0.name)]" } + (options.isEmpty ? [] : ["[options]"])
        var text = "Usage: aragora \((path + words).joined(separator: " "))\n\n\(summary)\n"
        if !details.isEmpty { text += "\n\(details)\n" }
        let rows =
            positionals.map { ($0.name, $0.help) }
            + (options + [.flag("--help", "Shows this text.")]).map { option in
                (option.value.map { "\(option.name) \($0)" } ?? option.name, option.help)
            }
        text += "\n" + Self.table(rows)
        if !examples.isEmpty { text += "\nExamples:\n" + examples.map { "  \($0)\n" }.joined() }
        return text
    }

    /// Two columns, the first as wide as it must be.
    static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)\n" }.joined()
    }
}
