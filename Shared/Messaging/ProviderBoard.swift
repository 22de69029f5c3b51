import Platform
package import RedisClient

/// What processes tell each other about a provider: whether its breaker is open, how long it asked to be left alone, and
/// how many calls are in flight. In Redis, by Redis's clock; losing it is harmless.
///
/// Every method is one script and answers within ``deadline``; nil means that Redis did not, and each process goes by
/// what it knows itself.
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
        /// A place is given back after this, should its process die.
        package let callMilliseconds: Int64
        /// Failures in a row after which agents are unhealthy.
        package let failuresToFall: Int
        /// Answers in a row after which they are healthy again.
        package let successesToRise: Int

        package init(
            failures: Int, windowMilliseconds: Int64, cooldownMilliseconds: Int64, maxInFlight: Int,
            callMilliseconds: Int64, failuresToFall: Int = 3, successesToRise: Int = 2
        ) {
            self.failuresToFall = failuresToFall
            self.successesToRise = successesToRise
            self.failures = failures
            self.windowMilliseconds = windowMilliseconds
            self.cooldownMilliseconds = cooldownMilliseconds
            self.maxInFlight = maxInFlight
            self.callMilliseconds = callMilliseconds
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

    /// Asks for a place for a call; after `.admitted`, call ``leave(_:call:rules:result:pauseMilliseconds:)`` once.
    /// - Parameters:
    ///   - provider: from a closed set.
    ///   - call: unique among all calls of all processes.
    package func enter(_ provider: String, call: String, rules: Rules) async -> Entry? {
        let values = await run(Self.enterScript, provider, [call, "\(rules.maxInFlight)", "\(rules.callMilliseconds)"])
        guard let values, values.count == 2 else { return nil }
        switch values[0] {
        case 0: return .admitted(isProbe: values[1] == 1)
        case 1: return .open(milliseconds: values[1])
        case 2: return .probing
        case 3: return .paused(milliseconds: values[1])
        default: return .full
        }
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

    /// KEYS: the breaker (hash: until, probe, by, pause, failures), the calls in flight (sorted by when their place is
    /// given back). ARGV: call, cap, longest call, life.
    private static let enterScript = LuaScript(
        "provider-enter",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local state = redis.call('HMGET', KEYS[1], 'until', 'probe', 'pause')
        local open, probe, pause = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
        if open > now then return {1, open - now} end
        if open > 0 and probe > now then return {2, 0} end
        if pause > now then return {3, pause - now} end
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
        if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return {4, 0} end
        redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[4])
        if open == 0 then return {0, 0} end
        redis.call('HSET', KEYS[1], 'probe', now + tonumber(ARGV[3]), 'by', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return {0, 1}
        """)

    /// KEYS: as above. ARGV: call, result, failures, window, cooldown, pause, fall, rise, life. BreakerState and
    /// AgentHealth in Lua.
    private static let leaveScript = LuaScript(
        "provider-leave",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        redis.call('ZREM', KEYS[2], ARGV[1])
        local state = redis.call('HMGET', KEYS[1], 'until', 'by', 'pause', 'failures', 'sick', 'streak')
        local sick, streak = tonumber(state[5] or 0), tonumber(state[6] or 0)
        if ARGV[2] ~= 'neither' then
          if (ARGV[2] == 'succeeded') == (sick == 0) then
            if streak > 0 then redis.call('HDEL', KEYS[1], 'streak') end
          else
            streak = streak + 1
            if streak >= tonumber(sick == 1 and ARGV[8] or ARGV[7]) then
              sick, streak = 1 - sick, 0
              redis.call('HSET', KEYS[1], 'sick', sick)
            end
            redis.call('HSET', KEYS[1], 'streak', streak)
            redis.call('PEXPIRE', KEYS[1], ARGV[9])
          end
        end
        local open, probed = tonumber(state[1] or 0), state[2] == ARGV[1]
        if probed then redis.call('HDEL', KEYS[1], 'probe', 'by') end
        local pause = tonumber(ARGV[6])
        if pause > 0 and now + pause > tonumber(state[3] or 0) then
          redis.call('HSET', KEYS[1], 'pause', now + pause)
          redis.call('PEXPIRE', KEYS[1], ARGV[9])
        end
        if ARGV[2] == 'succeeded' then
          if open == 0 or probed then
            if state[1] or state[4] then redis.call('HDEL', KEYS[1], 'until', 'failures') end
            return {0, 0, sick}
          end
        elseif ARGV[2] == 'failed' then
          local opens = open > 0 and probed
          if open == 0 then
            local recent = {}
            for at in string.gmatch(state[4] or '', '%d+') do
              if tonumber(at) > now - tonumber(ARGV[4]) then table.insert(recent, at) end
            end
            table.insert(recent, string.format('%.0f', now))
            opens = #recent >= tonumber(ARGV[3])
            if not opens then redis.call('HSET', KEYS[1], 'failures', table.concat(recent, ',')) end
          end
          if opens then
            open = now + tonumber(ARGV[5])
            redis.call('HSET', KEYS[1], 'until', open)
            redis.call('HDEL', KEYS[1], 'failures')
          end
          redis.call('PEXPIRE', KEYS[1], ARGV[9])
          return {math.max(open - now, 0), opens and 1 or 0, sick}
        end
        return {math.max(open - now, 0), 0, sick}
        """)

    /// KEYS: as above. ARGV: window, life. Changes nothing.
    private static let viewScript = LuaScript(
        "provider-view",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local state = redis.call('HMGET', KEYS[1], 'until', 'pause', 'failures', 'sick')
        local open, recent = tonumber(state[1] or 0), 0
        for at in string.gmatch(state[3] or '', '%d+') do
          if tonumber(at) > now - tonumber(ARGV[1]) then recent = recent + 1 end
        end
        return {math.max(open - now, 0), (open > 0 and open <= now) and 1 or 0, recent,
                math.max(tonumber(state[2] or 0) - now, 0), redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf'),
                tonumber(state[4] or 0)}
        """)
}
