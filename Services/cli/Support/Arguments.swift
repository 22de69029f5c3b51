/// Words of a command line, sorted by its command's shape.
struct Arguments: Sendable, Equatable {
    /// The command line can not be understood; ends the process with code 64.
    struct UsageError: Error, Equatable, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private(set) var values: [String: String] = [:]
    private(set) var flags: Set<String> = []
    private(set) var positionals: [String] = []
    /// `--help` was among them; nothing else was checked.
    private(set) var wantsHelp = false

    /// Accepts `--name value`, `--name=value`, and `--` before words that begin with a dash.
    /// - Throws: ``UsageError`` that says what is wrong and what may have been meant.
    init(_ words: [String], shape: CommandShape) throws(UsageError) {
        guard !words.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) else {
            wantsHelp = true
            return
        }
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                positionals += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                positionals.append(word)
                continue
            }
            try take(option: word, &rest, shape)
        }
        try checkPositionals(shape)
    }

    func value(_ name: String) -> String? { values[name] }
    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// A whole number.
    /// - Throws: ``UsageError`` when it is none, or out of `range`.
    func int(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    /// The one positional argument; nil when all are meant.
    /// - Throws: ``UsageError`` unless there is either it, which help calls `name`, or `--all`.
    func oneOrAll(_ name: String) throws(UsageError) -> String? {
        let one = positionals.first
        guard (one == nil) == has("--all") else { throw UsageError("name one \(name), or --all") }
        return one
    }

    private mutating func take(
        option word: String, _ rest: inout ArraySlice<String>, _ shape: CommandShape
    ) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let option = shape.options.first(where: { $0.name == parts[0] }) else {
            let known = shape.options.map(\.name) + ["--help"]
            throw UsageError("unknown option \(parts[0])\(Suggestion.sentence(for: parts[0], among: known))")
        }
        guard !flags.contains(option.name), values[option.name] == nil else {
            throw UsageError("\(option.name) is given twice")
        }
        guard let valueName = option.value else {
            guard parts.count == 1 else { throw UsageError("\(option.name) takes no value") }
            flags.insert(option.name)
            return
        }
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
            throw UsageError("\(option.name) needs a value: \(option.name) \(valueName)")
        }
        values[option.name] = value
    }

    private func checkPositionals(_ shape: CommandShape) throws(UsageError) {
        if positionals.count > shape.positionals.count {
            throw UsageError("unexpected argument \"\(positionals[shape.positionals.count])\"")
        }
        let missing = shape.positionals.dropFirst(positionals.count).filter(\.isRequired)
        if let first = missing.first { throw UsageError("\(first.name) is missing") }
    }
}
