import Testing

@testable import Contracts

@Suite("Which passwords are refused")
struct PasswordRuleTests {
    static let rule = PasswordRule(context: [
        "ada.lovelace@analytical.example.org", "Ada Lovelace", "Analytical Engines",
    ])

    @Test(
        "what guessers try first is refused",
        arguments: [
            "123456789012", "098765432109", "abcdefghijkl", "aaaaaaaaaaaa", "abababababab", "1qaz2wsx3edc",
            "qwerty123456", "justinbieber", "Password1234", "password1234!", "P@ssw0rd!!!!", "Pa$$w0rd2026",
            "passwordpassword", "Qwerty-123456789", "2026-Football!", "letmeinletmein", "!!!!dragon!!!!",
        ])
    func common(password: String) {
        #expect(PasswordRule().problem(password) != nil, "\(password)")
        #expect(password.count >= AccountRequests.passwordCharacters.lowerBound)
    }

    @Test(
        "words of whose it is are refused, with little around them",
        arguments: [
            "adalovelace1", "Lovelace2026!", "ada.lovelace@analytical.example.org", "analytical-01", "aragoraaragora",
            "Aragora-2026!", "L0velace12!!", "analyticalengines1",
        ])
    func context(password: String) {
        #expect(Self.rule.problem(password) != nil, "\(password)")
    }

    @Test(
        "long and strange ones are taken, whatever words are in them",
        arguments: [
            "a good long password", "another good password", "correct horse battery staple", "kX9#mQ2$vL7!",
            "lovelace computes numbers", "my aragora is on a hill", "passwort für zwölf", "84022291118273",
            "dragonfly sandwich", "ぱすわーどはながいほうがよい", "aaaabbbbccccddddeeee", "tRuStNo1-but-me",
        ])
    func taken(password: String) {
        #expect(Self.rule.problem(password) == nil, "\(password): \(Self.rule.problem(password) ?? "")")
    }

    @Test("the list is whole: 3,000 words and the long ones")
    func list() {
        #expect(CommonPasswords.count == 3229 || (3200...3229).contains(CommonPasswords.count))
        for word in ["123456", "password", "qwerty", "123qweasdzxc"] { #expect(CommonPasswords.contains(word)) }
        for word in ["correct horse battery staple", "", "staple-horse"] { #expect(!CommonPasswords.contains(word)) }
    }
}
