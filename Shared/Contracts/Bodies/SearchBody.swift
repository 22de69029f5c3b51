package import Domain

/// What a search found: rows of debates, the best first.
package enum SearchBody {
    package static func page(
        _ rows: [(debate: DebateBody, rank: Ratio, snippet: String)], query: String, total: Int, limit: Int, offset: Int
    ) -> JSONValue {
        let rows = rows.map { found -> JSONValue in
            var row = found.debate.row.object ?? JSONObject()
            row.append("type", "debate")
            row.append("score", .ratio(found.rank))
            row.append("snippet", .string(found.snippet))
            return .object(row)
        }
        return PageBody.make(
            "results", items: rows, total: total, limit: limit, offset: offset, extra: [("query", .string(query))])
    }
}
