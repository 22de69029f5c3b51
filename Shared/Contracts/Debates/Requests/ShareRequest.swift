package import Domain

/// `POST /debates/{id}/share`: for how long the link is to work. An empty body is the standard.
package struct ShareRequest: Sendable, Equatable {
    package static let standardSeconds = 7 * 86_400
    package static let secondsRange = 60...366 * 86_400

    package let seconds: Int

    /// - Throws: `ValidationFailure`.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> ShareRequest {
        guard !bytes.isEmpty else { return ShareRequest(seconds: standardSeconds) }
        var fields = try RequestFields(body: bytes)
        let hours = fields.int("expires_in_hours", 1...secondsRange.upperBound / 3600)
        let seconds = fields.int("expires_in_seconds", secondsRange)
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return ShareRequest(seconds: seconds ?? hours.map { $0 * 3600 } ?? standardSeconds)
    }
}
