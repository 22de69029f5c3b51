/// The bounds a request must keep. Each has a test at the limit and one past it.
package struct HTTPLimits: Sendable {
    /// Bytes of request line and header fields together, at most 65 535; past it 431.
    package var headBytes: Int
    /// Header fields; past it 431.
    package var headerCount: Int
    /// Bytes of the request target; past it 414.
    package var targetBytes: Int
    /// Bytes of a request body where the route says nothing else; past it 413.
    package var bodyBytes: Int
    /// Bytes of all chunk extensions of one body together; past it 400.
    package var chunkExtensionBytes: Int
    /// Bytes of the trailer section of a chunked body; past it 431.
    package var trailerBytes: Int
    /// Parameters in a query; past it 400.
    package var queryCount: Int

    package init(
        headBytes: Int = 32 * 1024, headerCount: Int = 100, targetBytes: Int = 8 * 1024, bodyBytes: Int = 1024 * 1024,
        chunkExtensionBytes: Int = 4 * 1024, trailerBytes: Int = 8 * 1024,
        queryCount: Int = 100
    ) {
        precondition(headBytes <= 65_535, "offsets into a head are 16 bits wide")
        self.headBytes = headBytes
        self.headerCount = headerCount
        self.targetBytes = targetBytes
        self.bodyBytes = bodyBytes
        self.chunkExtensionBytes = chunkExtensionBytes
        self.trailerBytes = trailerBytes
        self.queryCount = queryCount
    }

    /// Bytes a request line may have besides its target: a method of 32, two spaces, the version, CR and LF.
    static let requestLineOverheadBytes = methodBytes + 12
    /// Bytes of a method.
    static let methodBytes = 32
}
