package import Domain

/// Answers about receipts besides the receipt itself.
package enum ReceiptAnswers {
    /// `GET /receipts/stats`.
    package static func statistics(
        total: Int, signed: Int, onHold: Int, byVerdict: [(verdict: Verdict, count: Int)], retentionDays: Int,
        at: String
    ) -> JSONValue {
        var levels: [(String, Int)] = []
        for (verdict, count) in byVerdict {
            if let place = levels.firstIndex(where: { $0.0 == verdict.riskLevel }) {
                levels[place].1 += count
            } else {
                levels.append((verdict.riskLevel, count))
            }
        }
        let verdicts = JSONObject(byVerdict.map { ($0.verdict.rawValue, .int(Int64($0.count))) })
        return [
            "stats": [
                "total": .int(Int64(total)), "signed": .int(Int64(signed)), "unsigned": .int(Int64(total - signed)),
                "by_verdict": .object(verdicts),
                "by_risk_level": .object(JSONObject(levels.map { ($0.0, .int(Int64($0.1))) })),
                "retention_days": .int(Int64(retentionDays)), "on_legal_hold": .int(Int64(onHold)),
            ], "generated_at": .string(at),
        ]
    }

    /// `POST /receipts/{id}/share`. The token is in this answer and nowhere else.
    package static func shared(_ id: ReceiptID, token: String, expiresAt: Timestamp, maxAccesses: Int) -> JSONValue {
        [
            "success": true, "receipt_id": .string(id.text), "share_url": .string("/api/v2/receipts/share/\(token)"),
            "token": .string(token), "expires_at": .string(expiresAt.iso8601),
            "max_accesses": .int(Int64(maxAccesses)),
        ]
    }

    /// `POST /receipts/{id}/legal-hold`.
    package static func hold(_ id: ReceiptID, isHeld: Bool, reason: String?) -> JSONValue {
        [
            "receipt_id": .string(id.text), "legal_hold": .bool(isHeld),
            "reason": .optional(isHeld ? reason : nil),
        ]
    }

    /// One line of `POST /receipts/verify-batch`.
    package struct Checked: Sendable {
        package let id: String
        package let isFound: Bool
        package let isIntact: Bool
        package let isSigned: Bool

        package init(id: String, isFound: Bool, isIntact: Bool, isSigned: Bool) {
            self.id = id
            self.isFound = isFound
            self.isIntact = isIntact
            self.isSigned = isSigned
        }

        package var isValid: Bool { isFound && isIntact && isSigned }
    }

    /// One receipt of `POST /receipts/batch-export`.
    package struct Exported: Sendable {
        package let id: String
        /// Nil for one that is not there.
        package let content: [UInt8]?
        package let isJSON: Bool

        package init(id: String, content: [UInt8]?, isJSON: Bool) {
            self.id = id
            self.content = content
            self.isJSON = isJSON
        }
    }

    package static func exported(_ all: [Exported], format: String) -> JSONValue {
        let found = all.compactMap { one in
            one.content.map { content -> JSONValue in
                [
                    "receipt_id": .string(one.id),
                    "content": one.isJSON ? .encoded(content) : .string(String(decoding: content, as: UTF8.self)),
                ]
            }
        }
        return [
            "format": .string(format), "count": .int(Int64(found.count)), "receipts": .array(found),
            "missing": .strings(all.filter { $0.content == nil }.map(\.id)),
        ]
    }

    package static func batch(_ checked: [Checked], at: String) -> JSONValue {
        let valid = checked.count(where: \.isValid)
        return [
            "results": .array(
                checked.map { item in
                    [
                        "receipt_id": .string(item.id), "valid": .bool(item.isValid),
                        "integrity_valid": .bool(item.isIntact), "signature_valid": .bool(item.isSigned),
                        "error": item.isFound ? .null : "receipt not found",
                    ]
                }),
            "summary": [
                "total": .int(Int64(checked.count)), "valid": .int(Int64(valid)),
                "invalid": .int(Int64(checked.count - valid)),
            ], "verified_at": .string(at),
        ]
    }

    /// `GET /receipt-log/inclusion`.
    package static func inclusion(_ proof: ReceiptBundle.LogProof, leaf: [UInt8]) -> JSONValue {
        [
            "leaf_index": .int(proof.index), "tree_size": .int(proof.head.size), "leaf": .encoded(leaf),
            "inclusion": ReceiptBundle.json(of: proof.inclusion), "head": proof.head.json,
        ]
    }

    /// `GET /receipt-log/consistency`.
    package static func consistency(first: Int64, second: Int64, path: [[UInt8]]) -> JSONValue {
        ["first": .int(first), "second": .int(second), "path": ReceiptBundle.json(of: path)]
    }

    /// `GET /receipt-log/entries`: the leaves as they are hashed.
    package static func entries(_ entries: [(index: Int64, leaf: [UInt8], at: Timestamp)], size: Int64) -> JSONValue {
        let rows = entries.map { entry -> JSONValue in
            ["leaf_index": .int(entry.index), "leaf": .encoded(entry.leaf), "logged_at": .string(entry.at.iso8601)]
        }
        return [
            "entries": .array(rows), "items": .array(rows), "count": .int(Int64(rows.count)), "tree_size": .int(size),
        ]
    }
}
