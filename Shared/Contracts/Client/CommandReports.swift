/// What commands of the command line print with `--json`.
package enum CommandReports {
    /// One check of `doctor` or `validate-env`.
    package struct Check: Sendable, Equatable {
        package enum Status: String, Sendable { case passed, warning, failed, skipped }

        package let name: String
        package let status: Status
        package let message: String
        /// The code of the fault it found; nil when it found none.
        package let code: String?
        /// One line that mends it.
        package let fix: String?

        package init(
            _ name: String, _ status: Status, _ message: String, code: String? = nil, fix: String? = nil
        ) {
            self.name = name
            self.status = status
            self.message = message
            self.code = code
            self.fix = fix
        }
    }

    /// `validate-env --json`, with the keys of the original (contract §8).
    package static func validation(
        environment: String, checks: [Check], isStrict: Bool, isValid: Bool
    ) -> JSONValue {
        func messages(_ status: Check.Status) -> JSONValue {
            .strings(checks.filter { $0.status == status }.map(\.message))
        }
        return [
            "environment": .string(environment), "checks": .object(JSONObject(checks.map { ($0.name, check($0)) })),
            "errors": messages(.failed), "warnings": messages(.warning), "strict_mode": .bool(isStrict),
            "final_valid": .bool(isValid),
        ]
    }

    /// `doctor --json`.
    package static func doctor(
        _ sections: [(title: String, checks: [Check])], isHealthy: Bool, seconds: Double
    ) -> JSONValue {
        let all = sections.flatMap(\.checks)
        func count(_ statuses: Check.Status...) -> JSONValue {
            .int(Int64(all.count { statuses.contains($0.status) }))
        }
        return [
            "healthy": .bool(isHealthy),
            "sections": .object(
                JSONObject(
                    sections.map { section in
                        (section.title, .object(JSONObject(section.checks.map { ($0.name, check($0)) })))
                    })),
            "findings": .array(
                sections.flatMap { section in
                    section.checks.filter { $0.code != nil }.map { found in
                        .object(
                            JSONObject(
                                [("section", .string(section.title)), ("name", .string(found.name))] + members(found)))
                    }
                }),
            "summary": [
                "passed": count(.passed), "failed": count(.failed), "optional": count(.warning, .skipped),
            ],
            "seconds": .fraction(seconds),
        ]
    }

    /// `db verify --json`.
    package static func walk(
        debates: Int, events: Int, erasedEvents: Int, receipts: Int, problemCount: Int,
        problems: [(debate: String?, seq: Int64?, reason: String)]
    ) -> JSONValue {
        [
            "valid": .bool(problemCount == 0), "debates": .int(Int64(debates)), "events": .int(Int64(events)),
            "erased_events": .int(Int64(erasedEvents)), "receipts": .int(Int64(receipts)),
            "problem_count": .int(Int64(problemCount)),
            "problems": .array(
                problems.map { problem in
                    [
                        "debate_id": .optional(problem.debate), "seq": problem.seq.map { .int($0) } ?? .null,
                        "reason": .string(problem.reason),
                    ]
                }),
        ]
    }

    /// `db migrate --json`.
    package static func migrations(pending: [String], applied: [String]) -> JSONValue {
        ["up_to_date": .bool(pending.isEmpty), "pending": .strings(pending), "applied": .strings(applied)]
    }

    /// `ratings rebuild --json`.
    package static func ratings(
        matches: Int, agents: Int, erased: Int, added: Int, problemCount: Int, problems: [String], isMended: Bool
    ) -> JSONValue {
        [
            "equal": .bool(problemCount == 0), "matches": .int(Int64(matches)), "agents": .int(Int64(agents)),
            "erased_debates": .int(Int64(erased)), "added": .int(Int64(added)), "mended": .bool(isMended),
            "problem_count": .int(Int64(problemCount)), "problems": .strings(problems),
        ]
    }

    /// `receipt verify --json`.
    package static func receipt(
        id: String, debate: String, isIntact: Bool, signature: String, keyID: String?, publicSignature: String,
        publicKeyID: String?, chain: String, log: String, isGood: Bool
    ) -> JSONValue {
        [
            "receipt_id": .string(id), "debate_id": .string(debate), "integrity_valid": .bool(isIntact),
            "signature": .string(signature), "key_id": .optional(keyID),
            "public_signature": .string(publicSignature), "public_key_id": .optional(publicKeyID),
            "chain": .string(chain), "log": .string(log), "valid": .bool(isGood),
        ]
    }

    /// `backup list --json`.
    package static func backups(_ manifests: [BackupManifest]) -> JSONValue {
        ["backups": .array(manifests.map { .object($0.json) })]
    }

    /// `backup restore --json`.
    package static func restored(
        file: String, debates: Int, events: Int, generation: Int64, pendingMigrations: [String]
    ) -> JSONValue {
        [
            "file": .string(file), "debates": .int(Int64(debates)), "events": .int(Int64(events)),
            "generation": .int(generation), "pending_migrations": .strings(pendingMigrations),
        ]
    }

    /// `token create --json`.
    package static func token(_ text: String, scope: String, expires: String) -> JSONValue {
        ["token": .string(text), "scope": .string(scope), "expires_at": .string(expires)]
    }

    private static func check(_ check: Check) -> JSONValue { .object(JSONObject(members(check))) }

    private static func members(_ check: Check) -> [(String, JSONValue)] {
        [("status", .string(check.status.rawValue)), ("message", .string(check.message))]
            + (check.code.map { [("code", .string($0))] } ?? []) + (check.fix.map { [("fix", .string($0))] } ?? [])
    }
}
