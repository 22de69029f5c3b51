/// What the command line said.
struct ChaosOptions: Sendable {
    static let about = """
        Usage: aragora-chaos [--seed N] [--seconds N] [--faults N] [--debates N] [--without a,b | --only a,b |
                             --rolling N] [--viewers N] [--late N] [--full-size] [--plan] [--json FILE]

        Starts 2 apis, 2 gateways, 3 workers, a Postgres, a Redis and a simulator of model providers, each process behind
        a network of its own that can be broken; lets clients create, watch, cancel, pause, resume and remark; does every
        fault of a plan to them; then heals everything, waits for the end of every debate, and checks from outside and
        in the database that nothing was lost, done twice, or accepted from who had lost the right to write it.

          --seed N       the plan of faults and of clients is a function of this and of the numbers below (random)
          --seconds N    how long faults are done, 10 to 3600 (40)
          --faults N     how many, 0 to 5000 (50)
          --debates N    how many are created meanwhile, 1 to 1000 (20)
          --without a,b  leaves out these kinds of faults; --list-faults names them
          --only a,b     does no other kinds; of `--only drain` more is asked: no call is lost or sent twice, as if a
                         kubelet evicted pods at random
          --rolling N    does nothing but N rolling restarts: every process, and a backup service besides, is drained and
                         replaced, one after another, behind a balancer as of --late 2
          --viewers N    so many viewers besides, shared out among the debates, 0 to 20000 (0)
          --late N       every drain as a kubelet does it: clients and viewers go where a balancer says, which lists a
                         process for 0 to N seconds after it was asked to stop, and every request of theirs must be
                         answered; 0 to 60 (0)
          --full-size    drains as long as the product's own defaults, calls of 1 to 8 s
          --list-faults  names the kinds of faults, runs nothing
          --plan         prints the plan, runs nothing
          --json FILE    writes everything that was found
          --keep DIR     leaves the logs of every process in DIR

        Kinds that this machine does not allow are left out by name: full disks take root, clock jumps libfaketime.
        What is started is what ARAGORA_BIN_DIR names, or this package's debug build.

        Exit codes: 0 every check passed, 1 one did not, 64 wrong arguments, 69 the stores did not start,
        130 interrupted.
        """

    struct Refusal: Error { let message: String }

    var helps = false
    var listsFaults = false
    var onlyPlans = false
    var seed = UInt64.random(in: 0...999_999_999)
    var seconds = 40
    var faults = 50
    var debates = 20
    var without: Set<ChaosFault.Kind> = []
    var rolling = 0
    var viewers = 0
    var lateSeconds = 0
    var isFullSize = false
    var jsonPath: String?
    var logFolder: String?

    init(_ arguments: [String]) throws(Refusal) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "-h", "--help": helps = true
            case "--list-faults": listsFaults = true
            case "--plan": onlyPlans = true
            case "--seed": seed = UInt64(try Self.number(argument, &rest, 0...Int.max))
            case "--seconds": seconds = try Self.number(argument, &rest, 10...3600)
            case "--faults": faults = try Self.number(argument, &rest, 0...5000)
            case "--debates": debates = try Self.number(argument, &rest, 1...1000)
            case "--rolling": rolling = try Self.number(argument, &rest, 1...100)
            case "--viewers": viewers = try Self.number(argument, &rest, 0...20_000)
            case "--late": lateSeconds = try Self.number(argument, &rest, 0...60)
            case "--full-size": isFullSize = true
            case "--json": jsonPath = try Self.value(of: argument, &rest)
            case "--keep": logFolder = try Self.value(of: argument, &rest)
            case "--without": without.formUnion(try Self.kinds(argument, &rest))
            case "--only": without = Set(ChaosFault.Kind.allCases).subtracting(try Self.kinds(argument, &rest))
            default: throw Refusal(message: "unknown argument: \(argument) (see --help)")
            }
        }
    }

    var scale: ChaosScale {
        ChaosScale(isFullSize: isFullSize, lateSeconds: lateSeconds == 0 && rolling > 0 ? 2 : lateSeconds)
    }

    private static func kinds(
        _ option: String, _ rest: inout ArraySlice<String>
    ) throws(Refusal) -> Set<ChaosFault.Kind> {
        var kinds: Set<ChaosFault.Kind> = []
        for name in try value(of: option, &rest).split(separator: ",") {
            guard let kind = ChaosFault.Kind(rawValue: String(name)) else {
                throw Refusal(message: "no such kind of fault: \(name) (see --list-faults)")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    private static func number(
        _ option: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>
    ) throws(Refusal) -> Int {
        guard let number = Int(try value(of: option, &rest)), range.contains(number) else {
            throw Refusal(message: "\(option) takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(Refusal) -> String {
        guard let value = rest.popFirst() else { throw Refusal(message: "\(option) needs a value") }
        return value
    }
}
