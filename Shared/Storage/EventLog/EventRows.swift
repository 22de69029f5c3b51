import Domain
import PostgresClient

/// Events as rows of `debate_events`.
enum EventRows {
    static let columns = "seq, type, round, agent, at, epoch, data, salt, data_hash, prev_hash, hash, call_key, attempt"

    /// The events as a table `e` with ``columns``; `at` is in milliseconds. Arrays are read by place: `unnest` of many keeps a
    /// store of rows for each.
    static func table(_ events: [SealedEvent]) -> SQL {
        """
        (SELECT (\(events.map(\.seq)))[i], (\(events.map(\.type)))[i], (\(events.map(\.round)))[i],
                (\(events.map(\.agent)))[i], (\(events.map(\.at.milliseconds)))[i], (\(events.map(\.epoch)))[i],
                (\(events.map(\.data)))[i], (\(events.map(\.salt)))[i], (\(events.map(\.dataHash)))[i],
                (\(events.map(\.prevHash)))[i], (\(events.map(\.hash)))[i], (\(events.map { $0.call?.key.text }))[i],
                (\(events.map { $0.call.map { Int64($0.attempt) } }))[i]
         FROM generate_series(1, \(events.count)::integer) AS i) AS e (\(raw: columns))
        """
    }

    /// What an insert selects from ``table(_:)``.
    static let selected = """
        e.seq, e.type, e.round, e.agent, to_timestamp(e.at / 1000.0::float8), e.epoch, e.data, e.salt, e.data_hash, \
        e.prev_hash, e.hash, e.call_key, e.attempt
        """

    /// Inserts under a lock that the transaction holds on the run already.
    static func insert(_ events: [SealedEvent], of debate: DebateID) -> SQL {
        """
        INSERT INTO debate_events (debate_id, \(raw: columns))
        SELECT \(debate), \(raw: selected) FROM \(table(events))
        """
    }

    static func select(_ debate: DebateID, from seq: Int64, limit: Int) -> SQL {
        """
        SELECT \(raw: columns) FROM debate_events WHERE debate_id = \(debate) AND seq >= \(seq) ORDER BY seq LIMIT \(limit)
        """
    }

    static func decode(_ row: Row) throws(PGError) -> SealedEvent {
        var call: CallReference?
        if let key = try row.optionalText("call_key") {
            call = CallReference(key: CallKey(key), attempt: try row.int("attempt"))
        }
        return SealedEvent(
            seq: try row.int64("seq"), type: try row.text("type"), round: try row.int("round"),
            agent: try row.optionalText("agent"), at: try row.timestamp("at"), epoch: try row.int64("epoch"),
            data: try row.bytes("data"), salt: try row.bytes("salt"), dataHash: try row.bytes("data_hash"),
            prevHash: try row.bytes("prev_hash"), hash: try row.bytes("hash"), call: call)
    }

    static func decode(_ rows: [Row]) throws(PGError) -> [SealedEvent] {
        var events: [SealedEvent] = []
        events.reserveCapacity(rows.count)
        for row in rows { events.append(try decode(row)) }
        return events
    }

    /// What is wrong with events that shall follow `tail` under `epoch`; nil when they fit. Hashes are not computed here:
    /// who seals is trusted, and verification walks the log.
    static func misfit(_ events: [SealedEvent], after tail: LogTail, epoch: Int64) -> String? {
        var (seq, hash) = (tail.seq, tail.hash)
        for event in events {
            guard event.seq == seq + 1 else { return "event \(event.seq) does not follow \(seq)" }
            guard event.prevHash == hash else { return "event \(event.seq) is not linked to the one before" }
            guard event.epoch == epoch else { return "event \(event.seq) is of epoch \(event.epoch), not \(epoch)" }
            (seq, hash) = (event.seq, event.hash)
        }
        return nil
    }
}
