import Testing

@testable import aragora

@Suite("Command line")
struct CommandLineTests {
    static let shape = CommandShape(
        path: ["demo"], summary: "Runs a debate.",
        options: [
            .value("--topic", "TEXT", "What to debate."), .value("--rounds", "N", "How many rounds."),
            .flag("--json", "For programs."),
        ], positionals: [.init(name: "FILE", help: "A file.", isRequired: false)])

    @Test("names, values, switches and plain words are told apart")
    func parses() throws {
        let arguments = try Arguments(["--topic", "a b", "x", "--json", "--rounds=2"], shape: Self.shape)
        #expect(arguments.value("--topic") == "a b")
        #expect(arguments.has("--json"))
        #expect(arguments.positionals == ["x"])
        #expect(try arguments.int("--rounds", in: 1...12) == 2)
    }

    @Test("a value may hold an equals sign and begin with a dash, and -- ends the options")
    func literal() throws {
        #expect(try Arguments(["--topic=a=b"], shape: Self.shape).value("--topic") == "a=b")
        #expect(try Arguments(["--topic", "-x"], shape: Self.shape).value("--topic") == "-x")
        #expect(try Arguments(["--", "--json"], shape: Self.shape).positionals == ["--json"])
        #expect(try Arguments(["-"], shape: Self.shape).positionals == ["-"])
    }

    @Test(
        "help is found anywhere before --, and nothing else is then checked",
        arguments: [["--help"], ["-h"], ["--wrong", "--help"], ["a", "b", "c", "-h"]])
    func help(words: [String]) throws { #expect(try Arguments(words, shape: Self.shape).wantsHelp) }

    static let refusals: [([String], String)] = [
        (["--topi", "x"], "unknown option --topi; did you mean --topic?"),
        (["--jsno"], "unknown option --jsno; did you mean --json?"),
        (["--quantum"], "unknown option --quantum"), (["--topic"], "--topic needs a value: --topic TEXT"),
        (["--json=1"], "--json takes no value"), (["--json", "--json"], "--json is given twice"),
        (["a", "b"], "unexpected argument \"b\""), (["-v"], "unknown option -v"),
    ]

    @Test("a command line that is not understood says why", arguments: refusals)
    func refuses(words: [String], reason: String) {
        let error = #expect(throws: Arguments.UsageError.self) { try Arguments(words, shape: Self.shape) }
        #expect(error?.description == reason)
    }

    @Test("a number out of range says the range", arguments: ["0", "13", "two", "", "1.5"])
    func range(text: String) throws {
        let arguments = try Arguments(["--rounds", text], shape: Self.shape)
        let error = #expect(throws: Arguments.UsageError.self) { try arguments.int("--rounds", in: 1...12) }
        #expect(error?.description == "--rounds takes a whole number from 1 to 12, not \"\(text)\"")
    }

    @Test("the help names every option and argument")
    func helpText() {
        for word in ["Usage: aragora demo [FILE] [options]", "--topic TEXT", "--json", "--help", "FILE"] {
            #expect(Self.shape.help.contains(word), "\(word)")
        }
    }

    @Test(
        "text of a model can not command the terminal",
        arguments: [
            ("a\u{1B}[2Jb", "a[2Jb"), ("a\u{9B}31mb", "a31mb"), ("a\u{7}\u{0}b\rc", "abc"), ("a\tb\nc", "a b\nc"),
            ("\u{202E}evil\u{202C}", "evil"), ("\u{1B}]0;title\u{7}", "]0;title"), ("naïve 🙂 日本", "naïve 🙂 日本"),
            ("a\u{2028}b", "a\nb"), ("\u{1B}\u{1B}\\", "\\"),
        ])
    func safe(text: String, shown: String) { #expect(TerminalText.safe(text) == shown) }

    @Test("long lines are broken at spaces, and keep their indent")
    func wraps() {
        #expect(TerminalText.wrap("one two three four", width: 10) == ["one two", "three four"])
        #expect(TerminalText.wrap("  one two three", width: 10) == ["  one two", "  three"])
        #expect(TerminalText.wrap("a\n\nb", width: 10) == ["a", "", "b"])
        #expect(TerminalText.wrap("abcdefghijklmnop x", width: 10) == ["abcdefghijklmnop", "x"])
    }
}
