/// Which passwords are refused although they are long enough: those that a guesser tries first. There is no rule of
/// characters, and none that makes a password of random words or letters worse.
package struct PasswordRule: Sendable {
    /// Words of the installation itself.
    static let ownWords = ["aragora"]
    /// Shorter words are in many good passwords.
    static let contextCharacters = 4
    /// So many letters and digits must be left when the words of context are taken away.
    static let remainingCharacters = 6
    static let distinctCharacters = 5

    /// Of whose password it is, in lower case, the longest first.
    private let context: [String]

    /// - Parameter context: address, name and organization of whom it is for.
    package init(context: [String] = []) {
        let words = (context.flatMap { Self.words($0.lowercased()) } + Self.ownWords)
            .filter { $0.count >= Self.contextCharacters }
        self.context = Set(words).sorted { ($1.count, $0) < ($0.count, $1) }
    }

    /// Why this is refused, in words for its owner; nil when it is not.
    package func problem(_ password: String) -> String? {
        let text = password.lowercased()
        let plain = Self.plain(text)
        if Self.isSimple(text) { return "must not be a sequence, or a few characters again and again" }
        if CommonPasswords.contains(text) || CommonPasswords.contains(plain) || Self.isPadded(text) {
            return "is among the most used passwords, or one of them with something around it"
        }
        if [text, plain].contains(where: isContext) {
            return "must be more than words of the account: its address, its name, the product's"
        }
        return nil
    }

    /// Few characters, or each one the next of the one before.
    private static func isSimple(_ text: String) -> Bool {
        guard Set(text).count >= distinctCharacters else { return true }
        let scalars = text.unicodeScalars.map { Int($0.value) }
        let steps = Set(zip(scalars, scalars.dropFirst()).map { $1 - $0 })
        // 890123 goes on after its 9.
        return steps.isSubset(of: [1, -9]) || steps.isSubset(of: [-1, 9])
    }

    /// A used password, or one again and again, among digits and signs.
    private static func isPadded(_ text: String) -> Bool {
        let core = text.drop { !$0.isLetter }
        let tail = String(text.reversed().drop { !$0.isLetter }.reversed())
        let cores = [String(core.reversed().drop { !$0.isLetter }.reversed()), tail]
        return cores.flatMap { [$0, plain($0)] }.contains { word in
            let unit = unit(of: word)
            return unit.count >= contextCharacters && CommonPasswords.contains(unit)
        }
    }

    /// What the text is made of when it is that again and again; else the text.
    private static func unit(of text: String) -> String {
        let all = Array(text)
        guard all.count > 1 else { return text }
        let length = (1...all.count / 2).first { length in
            all.count.isMultiple(of: length) && all.indices.allSatisfy { all[$0] == all[$0 % length] }
        }
        return length.map { String(all.prefix($0)) } ?? text
    }

    private func isContext(_ text: String) -> Bool {
        var rest = text
        for word in context { rest = rest.replacing(word, with: " ") }
        return rest != text && rest.count { $0.isLetter || $0.isNumber } < Self.remainingCharacters
    }

    /// Without the letters that look like digits and signs.
    private static func plain(_ text: String) -> String {
        String(text.map { looks[$0] ?? $0 })
    }

    private static let looks: [Character: Character] = [
        "@": "a", "4": "a", "0": "o", "1": "i", "!": "i", "3": "e", "$": "s", "5": "s", "7": "t",
    ]

    private static func words(_ text: String) -> [String] {
        let parts = text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        // An address whole too, and its name without the points.
        return parts + [String(text.prefix { $0 != "@" }), parts.joined()]
    }
}
