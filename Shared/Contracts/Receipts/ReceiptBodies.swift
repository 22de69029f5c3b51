package import Domain

/// `GET /receipts`: rows, without the documents (contract §5).
package enum ReceiptListBody {
    /// What a list was asked to be limited to, as it was understood.
    package struct Filters: Sendable {
        package var debate: DebateID?
        package var verdict: Verdict?
        package var riskLevel: String?
        package var since: Timestamp?
        package var until: Timestamp?
        package var signedOnly = false

        package init() {}

        var json: JSONValue {
            [
                "debate_id": .optional(debate?.text), "verdict": .optional(verdict?.rawValue),
                "risk_level": .optional(riskLevel), "date_from": .optional(since?.iso8601),
                "date_to": .optional(until?.iso8601), "signed_only": .bool(signedOnly),
            ]
        }
    }

    package static func json(
        _ receipts: [StoredReceipt], total: Int, limit: Int, offset: Int, retentionDays: Int, filters: Filters
    ) -> JSONValue {
        let rows = receipts.map { row($0, retentionDays) }
        let hasMore = offset + rows.count < total
        return [
            "receipts": .array(rows), "items": .array(rows), "total": .int(Int64(total)),
            "count": .int(Int64(rows.count)),
            "pagination": [
                "limit": .int(Int64(limit)), "offset": .int(Int64(offset)), "total": .int(Int64(total)),
                "has_more": .bool(hasMore),
            ],
            "has_more": .bool(hasMore), "filters": filters.json,
        ]
    }

    private static func row(_ receipt: StoredReceipt, _ retentionDays: Int) -> JSONValue {
        [
            "receipt_id": .string(receipt.id.text), "gauntlet_id": .string("debate-\(receipt.debate.text)"),
            "debate_id": .string(receipt.debate.text),
            "created_at": .fraction(Double(receipt.createdAt.milliseconds) / 1000),
            "timestamp": .string(receipt.createdAt.iso8601),
            "expires_at": receipt.isOnLegalHold
                ? .null : .fraction(Double(receipt.createdAt.milliseconds) / 1000 + Double(retentionDays) * 86_400),
            "verdict": .string(receipt.verdict.rawValue), "confidence": .fraction(receipt.confidence.value),
            "risk_level": .string(receipt.verdict.riskLevel), "risk_score": .fraction(1 - receipt.confidence.value),
            "checksum": .string(receipt.checksum), "audit_trail_id": .null, "is_signed": .bool(receipt.isSigned),
            "has_timestamp": true, "legal_hold": .bool(receipt.isOnLegalHold),
        ]
    }
}

/// Answers of the receipt checks.
package enum ReceiptVerificationBody {
    /// `POST /receipts/{id}/verify`.
    /// - Parameter chainValid: nil when there is no log to compare with any more: its retention has passed.
    package static func integrity(
        _ id: ReceiptID, isValid: Bool, storedChecksum: String, computedChecksum: String, chainValid: Bool?,
        verifiedAt: String
    ) -> JSONValue {
        [
            "receipt_id": .string(id.text), "integrity_valid": .bool(isValid),
            "stored_checksum": .string(storedChecksum),
            "computed_checksum": .string(computedChecksum), "chain_valid": chainValid.map { .bool($0) } ?? .null,
            "verified_at": .string(verifiedAt),
        ]
    }

    /// `POST /receipts/{id}/verify-signature`.
    package static func signature(
        _ id: ReceiptID, isValid: Bool, keyID: String?, signedAt: String?, error: String?, verifiedAt: String
    ) -> JSONValue {
        [
            "receipt_id": .string(id.text), "signature_valid": .bool(isValid), "algorithm": "HMAC-SHA256",
            "key_id": .optional(keyID), "signed_at": .optional(signedAt), "error": .optional(error),
            "verification_timestamp": .string(verifiedAt),
        ]
    }
}
