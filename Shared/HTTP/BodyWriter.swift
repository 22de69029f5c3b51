import Platform

/// Writes a streamed response body, piece by piece.
package struct BodyWriter: Sendable {
    /// The client is gone, or the request was given up.
    package struct Closed: Error {}
    /// More was written than the response had announced.
    package struct TooLong: Error {}

    let connection: HTTPConnection
    let number: Int
    let framing: ResponseWriter.Framing
    /// Bytes written so far, for bodies of announced length.
    let sent: Lock<Int>

    /// Sends `bytes`, and waits while more than a high-water mark of them is unsent.
    ///
    /// - Throws: ``Closed``, ``TooLong``.
    package func write(_ bytes: [UInt8]) async throws {
        if case .length(let length) = framing {
            let total = sent.withLock { count in
                count += bytes.count
                return count
            }
            guard total <= length else { throw TooLong() }
        }
        try await connection.write(bytes, framing, number)
    }

    var isComplete: Bool {
        guard case .length(let length) = framing else { return true }
        return sent.withLock { $0 } == length
    }
}
