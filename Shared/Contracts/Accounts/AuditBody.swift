package import Domain

/// One line of the audit log, as it is hashed, stored and exported.
package enum AuditBody {
    /// The version of ``document(_:)``.
    package static let version: Int64 = 1
    /// What the details of one entry may have, encoded.
    package static let maximumDetailBytes = 8 * 1024

    /// What one entry says.
    package struct Facts: Sendable {
        package let organization: OrganizationID
        package let seq: Int64
        package let at: Timestamp
        package let action: AuditAction
        /// The subject that did it.
        package let actor: String
        package let resourceType: String
        package let resource: String?
        package let details: JSONObject
        package let address: String
        package let userAgent: String
        package let requestID: String

        package init(
            organization: OrganizationID, seq: Int64, at: Timestamp, action: AuditAction, actor: String,
            resourceType: String, resource: String?, details: JSONObject, address: String, userAgent: String,
            requestID: String
        ) {
            self.organization = organization
            self.seq = seq
            self.at = at
            self.action = action
            self.actor = actor
            self.resourceType = resourceType
            self.resource = resource
            self.details = details
            self.address = address
            self.userAgent = userAgent
            self.requestID = requestID
        }
    }

    /// Canonical JSON: what is hashed, after the hash of the entry before.
    package static func document(_ facts: Facts) -> [UInt8] {
        CanonicalJSON.encode([
            "v": .int(version), "org_id": .string(facts.organization.text), "seq": .int(facts.seq),
            "timestamp": .string(facts.at.iso8601), "action": .string(facts.action.rawValue),
            "user_id": .string(facts.actor), "resource_type": .string(facts.resourceType),
            "resource_id": .optional(facts.resource), "metadata": .object(facts.details),
            "ip_address": .string(facts.address), "user_agent": .string(facts.userAgent),
            "request_id": .string(facts.requestID),
        ])
    }

    /// A stored document with its place in the chain: one line of the export.
    package static func line(document: [UInt8], hash: String, previous: String) -> JSONValue {
        .object(
            JSONObject([
                ("entry", .encoded(document)), ("prev_hash", .string(previous)), ("hash", .string(hash)),
            ]))
    }

    /// Where the chain begins and ends.
    package static func chain(
        _ organization: OrganizationID, firstSeq: Int64, lastSeq: Int64, base: String, head: String, isHeld: Bool
    ) -> JSONValue {
        [
            "org_id": .string(organization.text), "first_seq": .int(firstSeq), "last_seq": .int(lastSeq),
            "base_hash": .string(base), "head_hash": .string(head), "legal_hold": .bool(isHeld),
        ]
    }

    package static func hold(_ isHeld: Bool) -> JSONValue { ["legal_hold": .bool(isHeld)] }

    /// The answer of a check of the whole chain.
    package static func verification(isValid: Bool, checked: Int, brokenAt: Int64?, chain: JSONValue) -> JSONValue {
        [
            "valid": .bool(isValid), "entries_checked": .int(Int64(checked)),
            "first_broken_seq": brokenAt.map { .int($0) } ?? .null, "chain": chain,
        ]
    }
}
