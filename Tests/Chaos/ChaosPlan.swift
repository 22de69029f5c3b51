import Domain
import FaultSupport

/// What clients and faults do in one run: a function of the seed, and of how much was asked for.
struct ChaosPlan: Sendable, CustomStringConvertible {
    /// What one client does with one debate. Times are milliseconds after the first client came, or after its creation.
    struct Client: Sendable, CustomStringConvertible {
        enum Act: String, Sendable { case cancel, pause, resume, remark, cutViewer = "cut-viewer", create }

        let number: Int
        let at: Int
        let rounds: Int
        let viewers: Int
        /// Repetitions of the create and what else is done, after the debate was accepted.
        let acts: [(after: Int, act: Act)]

        var description: String {
            let acts = acts.map { "\($0.act.rawValue) after \($0.after)" }.joined(separator: ", ")
            return "debate \(number) at \(at) ms: \(rounds) rounds, \(viewers) viewers; \(acts)"
        }
    }

    static let apis = 1...2
    static let gateways = 1...2
    static let workers = 1...3
    static let members: [Stack.Member] =
        apis.map { .api($0) } + gateways.map { .gateway($0) } + workers.map { .worker($0) }
    /// Those whose clocks can jump: they run under libfaketime from their start.
    static let timeTravellers: Set<Stack.Member> = [.api(2), .gateway(2), .worker(3)]
    /// Faults, on average, between two rolling restarts.
    private static let rollingEvery = 120
    private static let rollingGap = 900

    let seed: UInt64
    let seconds: Int
    private(set) var faults: [ChaosFault]
    let clients: [Client]
    /// Nothing happens but rolling restarts.
    let isRolling: Bool
    /// Every process that runs.
    var members: [Stack.Member] { isRolling ? Self.members + [.backup] : Self.members }
    /// When a budget that is too small comes, and when it goes.
    let scarcity: (from: Int, to: Int)

    /// - Parameter rolling: rolling restarts that are done instead of faults at random; 0 for none.
    init(seed: UInt64, seconds: Int, faults: Int, debates: Int, without: Set<ChaosFault.Kind>, rolling: Int = 0) {
        self.seed = seed
        self.seconds = seconds
        isRolling = rolling > 0
        var random = Draw(seed: seed)
        clients = (1...debates).map { Self.client($0, of: debates, seconds * 1000, &random) }
        scarcity = (seconds * 300, seconds * 300 + min(12_000, seconds * 150))
        self.faults =
            rolling > 0
            ? Self.rolling(rolling, seconds * 1000, &random) : Self.faults(faults, seconds * 1000, without, &random)
    }

    var description: String {
        (["seed \(seed)"] + clients.map(\.description) + faults.map(\.description)).joined(separator: "\n")
    }

    /// Two runs of one plan have the same.
    var digest: String { String(FNV1a.hash(description), radix: 16) }

    private static func client(_ number: Int, of all: Int, _ milliseconds: Int, _ random: inout Draw) -> Client {
        // The last ones come when there is still time to be hurt.
        let slot = milliseconds * 9 / 10 / all
        var acts: [(after: Int, act: Client.Act)] = []
        for _ in 0..<random.below(4) { acts.append((random.in(0...4000), .create)) }
        for _ in 0..<random.below(3) { acts.append((random.in(50...6000), .cutViewer)) }
        if random.below(5) == 0 { acts.append((random.in(0...3000), .cancel)) }
        if random.below(6) == 0 {
            let pause = random.in(0...2000)
            acts += [(pause, .pause), (pause + random.in(50...3000), .resume)]
        }
        if random.below(5) == 0 { acts.append((random.in(0...2500), .remark)) }
        return Client(
            number: number, at: (number - 1) * slot + random.below(max(1, slot)), rounds: random.in(1...4),
            viewers: random.in(1...2), acts: acts.sorted { $0.after < $1.after })
    }

    /// Every process of every kind, one after another, the times evenly apart, none before the one before it is replaced;
    /// the backup service a second time, while it makes its first backup.
    private static func rolling(_ times: Int, _ milliseconds: Int, _ random: inout Draw) -> [ChaosFault] {
        let round = members + [.backup, .backup]
        let count = times * round.count
        return (0..<count).map { place in
            ChaosFault(
                number: place + 1, at: milliseconds / 10 + place * milliseconds * 8 / 10 / count, kind: .drain,
                member: round[place % round.count], lasts: 0, draw: random.in(-7200...7200), isRolling: true,
                interruptsBackup: place % round.count == round.count - 1)
        }
    }

    private static func faults(
        _ count: Int, _ milliseconds: Int, _ without: Set<ChaosFault.Kind>, _ random: inout Draw
    ) -> [ChaosFault] {
        let kinds = ChaosFault.Kind.allCases.filter { !without.contains($0) }
        guard count > 0, !kinds.isEmpty else { return [] }
        let total = kinds.map(\.weight).reduce(0, +)
        let slot = Double(milliseconds) / Double(count)
        var faults: [ChaosFault] = []
        while faults.count < count {
            let number = faults.count + 1
            let at = Int((Double(number - 1) + Double(random.below(1000)) / 1000) * slot)
            if random.below(rollingEvery) == 0, !without.contains(.drain), count - faults.count >= members.count {
                for (place, member) in members.enumerated() {
                    faults.append(
                        ChaosFault(
                            number: number + place, at: at + place * rollingGap, kind: .drain, member: member,
                            lasts: 0, draw: 0, isRolling: true))
                }
                continue
            }
            var place = random.below(total)
            let kind = kinds.first { kind in
                place -= kind.weight
                return place < 0
            }
            faults.append(fault(number, at, kind ?? kinds[0], &random))
        }
        return faults.sorted { ($0.at, $0.number) < ($1.at, $1.number) }
    }

    private static func fault(_ number: Int, _ at: Int, _ kind: ChaosFault.Kind, _ random: inout Draw) -> ChaosFault {
        var member: Stack.Member?
        if kind == .jumpClock {
            member = members.filter(timeTravellers.contains)[random.below(timeTravellers.count)]
        } else if kind.target == .process {
            // Workers twice as often as the others.
            let drawn = random.below(members.count + workers.count)
            member = drawn < members.count ? members[drawn] : .worker(drawn - members.count + 1)
        }
        return ChaosFault(
            number: number, at: at, kind: kind, member: member, lasts: length(of: kind, member, &random),
            draw: random.in(-7200...7200))
    }

    private static func length(of kind: ChaosFault.Kind, _ member: Stack.Member?, _ random: inout Draw) -> Int {
        switch kind {
        case .kill, .drain, .hurry: return random.in(0...1200)
        case .freeze, .partitionPostgres:
            // Half of them longer than the lease of a worker.
            guard case .worker = member else { return random.in(50...2500) }
            return random.below(2) == 0 ? random.in(50...2500) : random.in(5500...8000)
        case .partitionRedis, .jumpClock: return random.in(200...5000)
        case .fillPostgres, .fillRedis, .brownOut: return random.in(300...2500)
        case .killRedis, .forgetRedis, .freezeRedis, .freezePostgres: return random.in(50...1500)
        default: return 0
        }
    }
}

/// Numbers from a seed, in a way that no standard library can change.
struct Draw {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
    mutating func `in`(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
}
