/// What the command line of the runner said.
struct BenchOptions: Sendable {
    static let about = """
        Usage: aragora-bench [--list] [--only a,b] [--quick] [--rounds N] [--json FILE]

        Runs the benchmarks over real processes, with the Postgres and Redis that scripts/bench.sh started.

          --list        name the benchmarks, run nothing
          --only a,b    run these
          --quick       short rounds: to see that everything works, not to quote
          --rounds N    rounds of each measurement, 1 to 100 (5)
          --json FILE   write every figure, with the rounds behind it

        Exit codes: 0 measured, 1 a benchmark failed, 64 wrong arguments, 78 not started by scripts/bench.sh.
        """

    struct Refusal: Error { let message: String }

    var lists = false
    var helps = false
    var only: [String] = []
    var isQuick = false
    var rounds = 5
    var jsonPath: String?

    init(_ arguments: [String]) throws(Refusal) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--list": lists = true
            case "-h", "--help": helps = true
            case "--quick": isQuick = true
            case "--only": only = try Self.value(of: argument, &rest).split(separator: ",").map(String.init)
            case "--json": jsonPath = try Self.value(of: argument, &rest)
            case "--rounds":
                guard let number = Int(try Self.value(of: argument, &rest)), (1...100).contains(number) else {
                    throw Refusal(message: "--rounds takes a number from 1 to 100")
                }
                rounds = number
            default: throw Refusal(message: "unknown argument: \(argument) (see --help)")
            }
        }
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(Refusal) -> String {
        guard let value = rest.popFirst() else { throw Refusal(message: "\(option) needs a value") }
        return value
    }

    /// Seconds of one round: `full`, or a fifth of it with `--quick`.
    func seconds(_ full: Double) -> Double { isQuick ? max(1, full / 5) : full }
}
