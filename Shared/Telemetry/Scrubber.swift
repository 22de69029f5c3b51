/// Takes out of a text what looks like a secret. Our errors carry none; what a library or a server says in them may.
enum Scrubber {
    static let mark = "[removed]"
    /// Characters of one text; the rest is cut.
    static let maxCharacters = 2000
    /// Names whose value is a secret: `password=…`, `"token": "…"`.
    private static let names = [
        "password", "passwd", "secret", "token", "api_key", "apikey", "api-key", "authorization", "cookie",
        "private_key", "dsn",
    ]
    /// Words that a secret follows.
    private static let schemes = ["bearer", "basic"]
    /// What our keys and those of providers begin with, and tokens.
    private static let beginnings = [
        "ara_", "sk-", "sk_", "xai-", "AIza", "eyJ", "ghp_", "xoxb-", "xoxp-", "whsec_", "AKIA",
    ]
    /// Shorter ones are words.
    private static let minSecretCharacters = 12
    private static let separators: Set<Character> = [
        "=", "\"", "'", " ", ",", ";", "(", ")", "&", "?", "\n", "\r", "\t",
    ]

    /// What the next word is, by what stands before it.
    private enum Expectation {
        case nothing
        /// A name has been read; `=` or `:` makes what follows its value.
        case separator
        case secret
    }

    static func clean(_ text: String) -> String {
        var (out, word) = ("", "")
        var next = Expectation.nothing
        func flush() {
            guard !word.isEmpty else { return }
            out += next == .secret && !isScheme(word) || isSecret(word) ? mark : withoutUser(word)
            next = isScheme(word) ? .secret : names.contains(where: word.lowercased().hasSuffix) ? .separator : .nothing
            word = ""
        }
        for character in text.prefix(maxCharacters) {
            // A colon is a part of most words that have one: times, addresses, hosts with ports.
            let isColon = character == ":" && (word.isEmpty || names.contains(where: word.lowercased().hasSuffix))
            guard isColon || separators.contains(character) else {
                word.append(character)
                continue
            }
            flush()
            switch (next, character) {
            case (.separator, "="), (.separator, ":"): next = .secret
            case (.separator, " "), (_, ","), (_, ";"), (_, ")"), (_, "\n"): next = .nothing
            default: break
            }
            out.append(character)
        }
        flush()
        return out
    }

    private static func isScheme(_ word: String) -> Bool { schemes.contains(word.lowercased()) }

    private static func isSecret(_ word: String) -> Bool {
        word.count >= minSecretCharacters && beginnings.contains(where: word.hasPrefix)
    }

    /// `scheme://user:password@host` keeps the host.
    private static func withoutUser(_ word: String) -> String {
        guard let scheme = word.firstRange(of: "://"), let at = word[scheme.upperBound...].lastIndex(of: "@") else {
            return word
        }
        return word[..<scheme.upperBound] + mark + word[at...]
    }
}
