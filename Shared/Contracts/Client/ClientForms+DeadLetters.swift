extension ClientForms {
    /// A message that was given up, as far as a person asks.
    package struct DeadLetter: Sendable, Equatable {
        package let id: String
        package let event: String
        package let url: String
        package let attempts: Int64
        package let endedAt: String?
        /// What the last attempt came to.
        package let reason: String

        init?(_ value: JSONValue) {
            guard let id = value["id"]?.string, let event = value["event"]?.string, let url = value["url"]?.string,
                let attempts = value["attempts"]?.int
            else { return nil }
            (self.id, self.event, self.url, self.attempts) = (id, event, url, attempts)
            endedAt = value["ended_at"]?.string
            reason = value["error"]?.string ?? value["last_status"]?.int.map { "status \($0)" } ?? "unknown"
        }

        /// For people.
        package var text: String {
            "\(id)  \(event) to \(url): given up\(endedAt.map { " \($0)" } ?? "") after \(attempts) attempts (\(reason))"
        }
    }

    /// A debate that was given up.
    package struct DeadJob: Sendable, Equatable {
        package let id: String
        package let reason: String
        package let at: String

        init?(_ value: JSONValue) {
            guard let id = value["job_id"]?.string, let reason = value["reason"]?.string,
                let at = value["dead_at"]?.string
            else { return nil }
            (self.id, self.reason, self.at) = (id, reason, at)
        }

        /// For people.
        package var text: String { "\(id)  given up \(at) (\(reason))" }
    }

    /// What became of jobs that were asked for again.
    package struct Requeued: Sendable, Equatable {
        /// The job that was given up, and the debate that it is now.
        package struct Line: Sendable, Equatable {
            package let job: String
            package let debate: String
        }
        package struct Skipped: Sendable, Equatable {
            package let job: String
            package let reason: String
        }

        package var requeued: [Line] = []
        package var skipped: [Skipped] = []

        package init() {}

        package init(_ bytes: [UInt8]) throws(ContractError) {
            let object = try ClientForms.object(bytes)
            guard let done = object["requeued"]?.array, let left = object["skipped"]?.array else {
                throw ContractError(.malformed, "the answer does not say what was asked for again")
            }
            requeued = done.map {
                Line(job: $0["job_id"]?.string ?? "", debate: $0["debate_id"]?.string ?? "")
            }
            skipped = left.map {
                Skipped(job: $0["job_id"]?.string ?? "", reason: $0["reason"]?.string ?? "")
            }
        }

        /// As the API has it.
        package var json: JSONValue {
            [
                "success": .bool(skipped.isEmpty), "count": .int(Int64(requeued.count)),
                "requeued": .array(requeued.map { ["job_id": .string($0.job), "debate_id": .string($0.debate)] }),
                "skipped": .array(skipped.map { ["job_id": .string($0.job), "reason": .string($0.reason)] }),
            ]
        }
    }

    /// One page of messages that were given up, and how many there are.
    package static func deadLetters(
        _ bytes: [UInt8]
    ) throws(ContractError) -> (letters: [DeadLetter], total: Int64) {
        let object = try object(bytes)
        guard let list = object["dead_letters"]?.array, let total = object["total"]?.int else {
            throw ContractError(.malformed, "the answer has no dead letters")
        }
        return (list.compactMap(DeadLetter.init), total)
    }

    /// The debates that were given up.
    package static func deadJobs(_ bytes: [UInt8]) throws(ContractError) -> [DeadJob] {
        guard let list = try object(bytes)["jobs"]?.array else {
            throw ContractError(.malformed, "the answer has no jobs")
        }
        return list.compactMap(DeadJob.init)
    }

    /// The body of `POST /api/v1/queue/dlq/requeue`.
    package static func requeue(_ jobs: [String]) -> [UInt8] {
        CanonicalJSON.encode(["job_ids": .strings(jobs)] as JSONValue)
    }

    /// What `webhooks retry --json` prints.
    /// - Parameter gone: somebody else sent them again, or they expired.
    package static func retried(_ sent: [String], gone: [String]) -> JSONValue {
        [
            "success": .bool(gone.isEmpty), "count": .int(Int64(sent.count)), "retried": .strings(sent),
            "not_found": .strings(gone),
        ]
    }
}
