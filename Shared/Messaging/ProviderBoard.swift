import Platform
package import RedisClient

/// What processes tell each other about a provider: whether its breaker is open, how long it asked to be left alone, and
/// how many calls are in flight. In Redis, by Redis's clock; losing it is harmless.
///
/// Every method is one script and answers within ``deadline``; nil means that Redis did not, and each process goes by
/// what it knows itself. A place is a lease, which its process renews while the call lasts.
package struct ProviderBoard: Sendable {
    /// A call waits no longer for Redis.
    package static let deadline = Duration.milliseconds(100)
    /// What nobody touches is forgotten.
    static let lifeMilliseconds = 600_000

    /// The numbers of one provider.
    package struct Rules: Sendable {
        package let failures: Int
        package let windowMilliseconds: Int64
        package let cooldownMilliseconds: Int64
        package let maxInFlight: Int
        /// A place is given back this long after it was last renewed, should its process die.
        package let leaseMilliseconds: Int64
        /// Failures in a row after which agents are unhealthy.
        package let failuresToFall: Int
        /// Answers in a row after which they are healthy again.
        package let successesToRise: Int

        package init(
            failures: Int, windowMilliseconds: Int64, cooldownMilliseconds: Int64, maxInFlight: Int,
            leaseMilliseconds: Int64, failuresToFall: Int = 3, successesToRise: Int = 2
        ) {
            self.failuresToFall = failuresToFall
            self.successesToRise = successesToRise
            self.failures = failures
            self.windowMilliseconds = windowMilliseconds
            self.cooldownMilliseconds = cooldownMilliseconds
            self.maxInFlight = maxInFlight
            self.leaseMilliseconds = leaseMilliseconds
        }
    }

    package enum Entry: Sendable, Equatable {
        case admitted(isProbe: Bool)
        case open(milliseconds: Int64)
        /// Half open, and somebody else has the one probe.
        case probing
        /// The provider asked to be left alone.
        case paused(milliseconds: Int64)
        /// As many calls are in flight, over all processes, as may be.
        case full
    }

    package enum Result: String, Sendable { case succeeded, failed, neither }

    /// What the breaker is after a call.
    package struct Standing: Sendable, Equatable {
        /// 0 when it is closed.
        package let openMilliseconds: Int64
        /// It was this call that opened it.
        package let opened: Bool
        /// Whether the provider's agents answer, as all processes have seen it.
        package let isHealthy: Bool
    }

    /// What all processes know about a provider, for people.
    package struct View: Sendable, Equatable {
        /// 0 when it is closed, or waits for a probe.
        package let openMilliseconds: Int64
        /// Its time is over: one call may find out.
        package let isHalfOpen: Bool
        /// Recent ones, while it is closed.
        package let failures: Int
        /// How long it asked to be left alone.
        package let pauseMilliseconds: Int64
        package let inFlight: Int
        package let isHealthy: Bool

        package init(
            openMilliseconds: Int64, isHalfOpen: Bool, failures: Int, pauseMilliseconds: Int64, inFlight: Int,
            isHealthy: Bool
        ) {
            self.openMilliseconds = openMilliseconds
            self.isHalfOpen = isHalfOpen
            self.failures = failures
            self.pauseMilliseconds = pauseMilliseconds
            self.inFlight = inFlight
            self.isHealthy = isHealthy
        }
    }

    private let connection: RedisConnection
    private let keyspace: Keyspace

    package init(connection: RedisConnection, keyspace: Keyspace) {
        self.connection = connection
        self.keyspace = keyspace
    }

    /// Asks for a place for a call; after `.admitted`, call ``renew(_:calls:rules:)`` while it lasts, and
    /// ``leave(_:call:rules:result:pauseMilliseconds:)`` once.
    /// - Parameters:
    ///   - provider: from a closed set.
    ///   - call: unique among all calls of all processes.
    package func enter(_ provider: String, call: String, rules: Rules) async -> Entry? {
        let values = await run(
            Self.enterScript, provider, [call, "\(rules.maxInFlight)", "\(rules.leaseMilliseconds)"])
        guard let values, values.count == 2 else { return nil }
        switch values[0] {
        case 0: return .admitted(isProbe: values[1] == 1)
        case 1: return .open(milliseconds: values[1])
        case 2: return .probing
        case 3: return .paused(milliseconds: values[1])
        default: return .full
        }
    }

    /// Keeps the places of calls that are in flight, and the probe if one of them is it. What was lost, because Redis was
    /// emptied or this process stood still, is there again: it says what is so, also where that is more than the cap.
    /// - Returns: false when Redis did not answer.
    @discardableResult
    package func renew(_ provider: String, calls: [String], rules: Rules) async -> Bool {
        await run(Self.renewScript, provider, ["\(rules.leaseMilliseconds)"] + calls) != nil
    }

    /// Gives the place back and says how the call ended.
    /// - Parameter pauseMilliseconds: how long the provider asked to be left alone; 0 when it did not.
    @discardableResult
    package func leave(
        _ provider: String, call: String, rules: Rules, result: Result, pauseMilliseconds: Int64
    ) async -> Standing? {
        let values = await run(
            Self.leaveScript, provider,
            [
                call, result.rawValue, "\(rules.failures)", "\(rules.windowMilliseconds)",
                "\(rules.cooldownMilliseconds)", "\(max(0, pauseMilliseconds))", "\(rules.failuresToFall)",
                "\(rules.successesToRise)",
            ])
        guard let values, values.count == 3 else { return nil }
        return Standing(openMilliseconds: values[0], opened: values[1] == 1, isHealthy: values[2] == 0)
    }

    /// How a provider stands.
    /// - Parameter windowMilliseconds: how long a failure counts.
    package func view(_ provider: String, windowMilliseconds: Int64) async -> View? {
        let values = await run(Self.viewScript, provider, ["\(windowMilliseconds)"])
        guard let values, values.count == 6 else { return nil }
        return View(
            openMilliseconds: values[0], isHalfOpen: values[1] == 1, failures: Int(values[2]),
            pauseMilliseconds: values[3], inFlight: Int(values[4]), isHealthy: values[5] == 0)
    }

    private func run(_ script: LuaScript, _ provider: String, _ arguments: [String]) async -> [Int64]? {
        let keys = [keyspace.breaker(provider: provider), keyspace.provider(provider)]
        let reply = try? await connection.run(
            script, keys: keys, arguments: (arguments + ["\(Self.lifeMilliseconds)"]).map { Array($0.utf8) },
            timeout: Self.deadline)
        return reply?.array?.compactMap(\.integer)
    }
}
