import HTTP

/// How a client wants to be told, as its URL says; nothing of it changes what it is told.
struct ClientWishes: Sendable, Equatable {
    /// Every message is an array of what is ready together.
    var arrays = false
    /// What is there comes in one message, unless a subscribe says otherwise.
    var snapshot = false

    init() {}

    init(_ query: QueryItems) throws(HTTPError) {
        arrays = try Self.flag("batch", query)
        snapshot = try Self.flag("snapshot", query)
    }

    private static func flag(_ name: String, _ query: QueryItems) throws(HTTPError) -> Bool {
        switch query[name] {
        case nil, "0", "false": false
        case "1", "true": true
        default: throw .malformed("\(name) is neither 1 nor 0.")
        }
    }
}
