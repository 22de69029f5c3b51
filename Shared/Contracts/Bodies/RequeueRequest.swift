package import Domain

/// `POST /queue/dlq/requeue`: which of the jobs that were given up; an empty body means all.
package struct RequeueRequest: Sendable, Equatable {
    package static let maximumJobs = 200

    /// Nil for all.
    package let jobs: [String]?

    /// - Throws: `ValidationFailure`.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> RequeueRequest {
        guard !bytes.isEmpty else { return RequeueRequest(jobs: nil) }
        var fields = try RequestFields(body: bytes)
        var jobs = [fields.string("job_id"), fields.string("debate_id")].compactMap { $0?.text }
        if let (field, value) = fields.value("job_ids") {
            let texts = (value.array ?? []).compactMap(\.string)
            if let list = value.array, texts.count == list.count, texts.count <= maximumJobs {
                jobs += texts
            } else {
                fields.refuse(field, "must be a list of at most \(maximumJobs) ids")
            }
        }
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return RequeueRequest(jobs: jobs.isEmpty && fields.value("job_ids") == nil ? nil : jobs)
    }
}
