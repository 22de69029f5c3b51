package import Domain

/// What the gateway says besides the events of the log (contract §3.3). These carry no `seq`: they are of the
/// connection, not of the debate.
package enum ServerMessage: Sendable, Equatable {
    /// The first message of a connection.
    case connected(ConnectionInfo)
    /// The same under the name old user interfaces wait for; sent right after it.
    case connectionInfo(ConnectionInfo)
    case loopList([JSONValue])
    /// The subscription stands; `latestSeq` is the newest event now, 0 when there is none.
    case subscribed(DebateID, latestSeq: Int64, status: String)
    case unsubscribed(DebateID)
    /// Events `from...latest` follow; nothing live comes between them.
    case replayStart(DebateID, fromSeq: Int64, eventCount: Int64, latestSeq: Int64)
    case replayEnd(DebateID, replayedCount: Int64, latestSeq: Int64)
    /// Milliseconds since 1970.
    case heartbeat(serverTime: Int64, subscriptions: Int)
    /// The client's clock as it came, and ours in milliseconds since 1970.
    case pong(clientTimestamp: JSONValue, serverTime: Int64)
    /// Not the end of anything.
    case warning(WarningCode, message: String, debateID: DebateID? = nil, extra: JSONObject = JSONObject())
    /// The official clients end their stream here.
    case error(ErrorCode, message: String, debateID: DebateID? = nil, recoverable: Bool = false)
    /// The token of this connection is no longer good; a close with 4001 follows.
    case authRevoked(message: String)

    package struct ConnectionInfo: Sendable, Equatable {
        package let serverVersion: String
        package let clientID: String
        package let authenticated: Bool

        package init(serverVersion: String, clientID: String, authenticated: Bool) {
            self.serverVersion = serverVersion
            self.clientID = clientID
            self.authenticated = authenticated
        }
    }

    /// The text of the message.
    /// - Parameter timestamp: now, as ISO 8601 in UTC.
    package func encode(timestamp: String) -> [UInt8] {
        var data = data
        var object = JSONObject([("type", .string(type))])
        if let debateID {
            object.append("debate_id", .string(debateID.text))
            object.append("loop_id", .string(debateID.text))
            data["debate_id"] = .string(debateID.text)
        }
        object.append("timestamp", .string(timestamp))
        object.append("data", .object(data))
        return JSONValue.object(object).bytes
    }

    private var type: String {
        switch self {
        case .connected: "connected"
        case .connectionInfo: "connection_info"
        case .loopList: "loop_list"
        case .subscribed: "subscribed"
        case .unsubscribed: "unsubscribed"
        case .replayStart: "replay_start"
        case .replayEnd: "replay_end"
        case .heartbeat: "heartbeat"
        case .pong: "pong"
        case .warning: "warning"
        case .error: "error"
        case .authRevoked: "auth_revoked"
        }
    }

    private var debateID: DebateID? {
        switch self {
        case .connected, .connectionInfo, .loopList, .heartbeat, .pong, .authRevoked: nil
        case .subscribed(let id, _, _), .unsubscribed(let id), .replayStart(let id, _, _, _), .replayEnd(let id, _, _):
            id
        case .warning(_, _, let id, _), .error(_, _, let id, _): id
        }
    }

    private var data: JSONObject {
        switch self {
        case .connected(let info), .connectionInfo(let info):
            JSONObject([
                ("server_version", .string(info.serverVersion)), ("client_id", .string(info.clientID)),
                ("authenticated", .bool(info.authenticated)), ("write_access", false), ("protocol", "aragora-v1"),
            ])
        case .loopList(let loops):
            JSONObject([("loops", .array(loops)), ("count", .int(Int64(loops.count)))])
        case .subscribed(_, let latestSeq, let status):
            JSONObject([("latest_seq", .int(latestSeq)), ("status", .string(status))])
        case .unsubscribed:
            JSONObject()
        case .replayStart(_, let fromSeq, let eventCount, let latestSeq):
            JSONObject([
                ("from_seq", .int(fromSeq)), ("event_count", .int(eventCount)), ("latest_seq", .int(latestSeq)),
                ("buffer_oldest_seq", 1), ("buffer_latest_seq", .int(latestSeq)),
            ])
        case .replayEnd(_, let replayedCount, let latestSeq):
            JSONObject([("replayed_count", .int(replayedCount)), ("latest_seq", .int(latestSeq))])
        case .heartbeat(let serverTime, let subscriptions):
            JSONObject([("server_time", .int(serverTime)), ("subscriptions", .int(Int64(subscriptions)))])
        case .pong(let clientTimestamp, let serverTime):
            JSONObject([("client_ts", clientTimestamp), ("server_ts", .int(serverTime))])
        case .warning(let code, let message, _, let extra):
            JSONObject(
                [("message", .string(message)), ("code", .string(code.rawValue)), ("severity", "warning")]
                    + extra.members.map { ($0.key, $0.value) })
        case .error(let code, let message, _, let recoverable):
            JSONObject([
                ("error", .string(message)), ("message", .string(message)), ("code", .int(Int64(code.status))),
                ("error_code", .string(code.rawValue)), ("recoverable", .bool(recoverable)),
            ])
        case .authRevoked(let message):
            JSONObject([("message", .string(message)), ("code", 401)])
        }
    }
}
