/// What the chat routes answer.
package enum ChatBody {
    package static func status(isEnabled: Bool, parts: [(String, Bool)]) -> JSONValue {
        .object(JSONObject([("enabled", .bool(isEnabled))] + parts.map { ($0.0, .bool($0.1)) }))
    }

    package static func challenge(_ text: String) -> JSONValue { ["challenge": .string(text)] }
    /// To an `invoke` of Teams: shown to who pressed.
    package static func invoked(_ text: String) -> JSONValue {
        [
            "statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": .string(text),
        ]
    }

    package static let acknowledged: JSONValue = ["ok": true]
}
