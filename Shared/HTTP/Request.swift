/// One request, whole: its head and its body, decoded from any transfer coding.
package struct Request: Sendable {
    package let head: RequestHead
    /// At most the route's limit.
    package let body: [UInt8]
    /// The decoded parameters of the query.
    package let query: QueryItems

    /// - Throws: 400 when the query is not percent-encoded UTF-8 or has too many parameters.
    init(head: RequestHead, body: [UInt8], limits: HTTPLimits) throws(HTTPError) {
        self.head = head
        self.body = body
        guard let range = head.rawQueryRange else {
            query = QueryItems()
            return
        }
        query = try QueryItems(head.bytes[range.range], limit: limits.queryCount)
    }

    /// A request from the text of its head, such as `GET / HTTP/1.1\r\nHost: a\r\n\r\n`: for tests of handlers.
    ///
    /// - Throws: what a server would answer.
    package init(text: String, body: [UInt8] = []) throws(HTTPError) {
        var parser = HeadParser(limits: HTTPLimits())
        let bytes = Array(text.utf8)
        guard let (head, _) = try parser.parse(bytes.span) else { throw .malformed("The head is not whole.") }
        try self.init(head: head, body: body, limits: HTTPLimits())
    }

    package var method: Method { head.method }
    /// The path as sent, without the query: safe to log.
    package var path: String { head.path }
    /// The first value of a field, by name in any case.
    package subscript(header name: String) -> String? { head[name] }
}
