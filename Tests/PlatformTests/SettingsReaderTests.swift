import Testing

@testable import Platform

@Suite("The settings reader")
struct SettingsReaderTests {
    static func reader(_ values: [String: String], files: [String: String] = [:]) -> SettingsReader {
        SettingsReader(lookup: { values[$0] }, readFile: { files[$0] })
    }

    @Test("takes the name before its aliases, and tells which alias it used")
    func aliases() {
        var both = Self.reader(["NAME": "a", "ALIAS": "b"])
        #expect(both.optionalString("NAME", aliases: ["ALIAS"]) == "a")
        #expect(both.aliasesUsed.isEmpty)
        var second = Self.reader(["NAME": "", "THIRD": "c"])
        #expect(second.optionalString("NAME", aliases: ["ALIAS", "THIRD"]) == "c")
        #expect(second.aliasesUsed == ["THIRD is used as NAME"])
        #expect(second.problems.isEmpty)
    }

    @Test("reads a value from the file that <NAME>_FILE names, without the line end")
    func file() {
        var reader = Self.reader(
            ["A_FILE": "/a", "B": "direct", "B_FILE": "/a", "C_FILE": "/none", "D_FILE": "/empty"],
            files: ["/a": "se cret \r\n\n", "/empty": "\n"])
        #expect(reader.secret("A")?.reveal() == "se cret ")
        #expect(reader.optionalString("B") == "direct")
        #expect(reader.optionalString("C") == nil)
        #expect(reader.optionalString("D") == nil)
        #expect(reader.problems == ["C_FILE: can not read \"/none\""])
    }

    @Test("reads real files, and refuses what is not UTF-8")
    func realFile() throws {
        var reader = SettingsReader(lookup: { ["SELF_FILE": #filePath, "BAD_FILE": "/proc/self/exe"][$0] })
        #expect(reader.optionalString("SELF")?.hasPrefix("import Testing") == true)
        #expect(reader.optionalString("BAD") == nil)
        #expect(reader.problems == ["BAD_FILE: can not read \"/proc/self/exe\""])
    }

    @Test("reports every problem at once, and none with the value of a secret")
    func problems() {
        var reader = Self.reader(["INT": "abc", "BIG": "11", "BOOL": "perhaps", "ONE": "green", "SECONDS": "1.5"])
        #expect(reader.int("INT", default: 7, in: 0...10) == 7)
        #expect(reader.int("BIG", default: 7, in: 0...10) == 7)
        #expect(reader.bool("BOOL", default: true) == true)
        #expect(reader.oneOf("ONE", ["red", "blue"], default: "red") == "red")
        #expect(reader.seconds("SECONDS", default: 3, in: 1...9) == .seconds(3))
        #expect(reader.requiredSecret("TOKEN").reveal() == "")
        reader.report("X: needs Y")
        #expect(
            reader.problems == [
                "INT: expected a whole number from 0 to 10, got \"abc\"",
                "BIG: expected a whole number from 0 to 10, got \"11\"",
                "BOOL: expected true or false, got \"perhaps\"",
                "ONE: expected one of red, blue, got \"green\"",
                "SECONDS: expected a whole number from 1 to 9, got \"1.5\"",
                "TOKEN: required, but not set",
                "X: needs Y",
            ])
    }

    @Test("takes a number at either end of its range", arguments: [("0", 0), ("10", 10), ("+3", 3)])
    func ends(text: String, value: Int) {
        var reader = Self.reader(["INT": text])
        #expect(reader.int("INT", default: 7, in: 0...10) == value)
        #expect(reader.problems.isEmpty)
    }

    @Test("refuses a number one past its range", arguments: ["-1", "11", "99999999999999999999", "1e1", " 1", ""])
    func past(text: String) {
        var reader = Self.reader(["INT": text])
        #expect(reader.int("INT", default: 7, in: 0...10) == 7)
        #expect(reader.problems.count == (text.isEmpty ? 0 : 1))
    }

    @Test(
        "knows the words for yes and no",
        arguments: [("TRUE", true), ("1", true), ("On", true), ("no", false), ("0", false)])
    func words(text: String, value: Bool) {
        var reader = Self.reader(["BOOL": text])
        #expect(reader.bool("BOOL", default: !value) == value)
        #expect(reader.problems.isEmpty)
    }
}

@Suite("A secret")
struct SecretTests {
    struct Holder { let token: Secret<String> }

    @Test("never prints, however it is asked")
    func printing() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(Holder(token: secret), to: &dumped)
        dump([secret], to: &dumped)
        dump(Optional(secret), to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(Holder(token: secret))",
            "\([secret])",
            "\(["k": secret])", String(reflecting: Holder(token: secret)), dumped,
        ]
        for text in texts {
            #expect(!text.contains("hunter2"), "\(text)")
        }
        #expect("\(secret)" == "<redacted>")
        #expect(secret.reveal() == "hunter2")
    }
}
