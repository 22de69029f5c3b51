import RedisClient

/// What is done in Redis in one step, by Redis's clock.
extension ProviderBoard {
    /// KEYS: the breaker (hash: until, probe, by, pause, failures), the calls in flight (sorted by when their place is
    /// given back). ARGV: call, cap, lease, life.
    static let enterScript = LuaScript(
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

    /// KEYS: as above. ARGV: lease, calls, life.
    static let renewScript = LuaScript(
        "provider-renew",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local till, by = now + tonumber(ARGV[1]), redis.call('HGET', KEYS[1], 'by')
        for place = 2, #ARGV - 1 do
          redis.call('ZADD', KEYS[2], till, ARGV[place])
          if by == ARGV[place] then
            redis.call('HSET', KEYS[1], 'probe', till)
            redis.call('PEXPIRE', KEYS[1], ARGV[#ARGV])
          end
        end
        redis.call('PEXPIRE', KEYS[2], ARGV[#ARGV])
        return {1}
        """)

    /// KEYS: as above. ARGV: call, result, failures, window, cooldown, pause, fall, rise, life. BreakerState and
    /// AgentHealth in Lua.
    static let leaveScript = LuaScript(
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
    static let viewScript = LuaScript(
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
