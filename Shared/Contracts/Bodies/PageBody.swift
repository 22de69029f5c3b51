/// A page of a list: the same array under its natural name and under `items`, which the official paginator reads.
package enum PageBody {
    /// - Parameters:
    ///   - name: the natural name, `debates`.
    ///   - total: of the whole list.
    ///   - extra: members besides.
    package static func make(
        _ name: String, items: [JSONValue], total: Int, limit: Int, offset: Int, extra: [(String, JSONValue)] = []
    ) -> JSONValue {
        let list = JSONValue.encoded(JSONValue.array(items).bytes)
        return .object(
            JSONObject(
                [
                    (name, list), ("items", list), ("total", .int(Int64(total))), ("count", .int(Int64(items.count))),
                    ("limit", .int(Int64(limit))), ("offset", .int(Int64(offset))),
                    ("has_more", .bool(offset + items.count < total)),
                ] + extra))
    }

    /// A page by cursor: the whole list is not counted, `total` is null.
    ///
    /// - Parameter next: asks for the page after this one; nil when this is the last.
    package static func uncounted(_ name: String, items: [JSONValue], limit: Int, next: String?) -> JSONValue {
        let list = JSONValue.encoded(JSONValue.array(items).bytes)
        return .object(
            JSONObject([
                (name, list), ("items", list), ("total", .null), ("count", .int(Int64(items.count))),
                ("limit", .int(Int64(limit))), ("offset", .int(0)), ("has_more", .bool(next != nil)),
                ("next_cursor", .optional(next)),
            ]))
    }
}
