/// Receipts and what checks them.
extension Schema {
    /// The document itself is described in docs/protocol.md; what is covered by its signature may grow.
    package static let receipt = input([
        "receipt_id": .receiptID, "debate_id": .debateID, "schema_version": .text, "verdict": .verdict,
        "confidence": .share, "checksum": .text,
    ]).named("Receipt")

    package static let receiptPage = object([
        "receipts": list(receiptRow), "items": list(receiptRow), "total": .count, "count": .count,
        "pagination": object(["limit": .count, "offset": .count, "total": .count, "has_more": .boolean]),
        "has_more": .boolean,
        "filters": object([
            "debate_id": debateID.orNull, "verdict": verdict.orNull, "risk_level": text.orNull,
            "date_from": time.orNull,
            "date_to": time.orNull, "signed_only": .boolean,
        ]).saying("What the list was limited to, as it was understood."),
    ]).named("ReceiptPage")

    private static let receiptRow = object([
        "receipt_id": .receiptID, "gauntlet_id": .text, "debate_id": .debateID, "created_at": .amount,
        "timestamp": .time, "expires_at": amount.orNull, "verdict": .verdict, "confidence": .share,
        "risk_level": .riskLevel, "risk_score": .share, "checksum": .text, "audit_trail_id": text.orNull,
        "is_signed": .boolean, "has_timestamp": .boolean, "legal_hold": .boolean,
    ]).named("ReceiptRow")

    package static let receiptIntegrity = object([
        "receipt_id": .receiptID, "integrity_valid": .boolean, "stored_checksum": .text, "computed_checksum": .text,
        "chain_valid": boolean.orNull.saying("Null when the events were removed: their retention has passed."),
        "verified_at": .time,
    ]).named("ReceiptIntegrity")

    private static let digest = text(pattern: "^[0-9a-f]{64}$")
    private static let path = list(digest, maximum: 64)

    package static let receiptStatistics = object([
        "stats": object([
            "total": .count, "signed": .count, "unsigned": .count, "by_verdict": map(.count),
            "by_risk_level": map(.count), "retention_days": .count, "on_legal_hold": .count,
        ]), "generated_at": .time,
    ]).named("ReceiptStatistics")

    package static let receiptBatch = input([
        "receipt_ids": list(text, maximum: ReceiptRequests.batchLimit)
    ]).named("ReceiptBatch")

    package static let receiptExport = input([
        "receipt_ids": list(text, maximum: ReceiptRequests.batchLimit),
        "format": word(["json", "html", "md", "markdown", "csv"]).ifGiven,
    ]).named("ReceiptBatchExport")
    package static let receiptsExported = object([
        "format": .text, "count": .count, "missing": list(.text),
        "receipts": list(
            object([
                "receipt_id": .text, "content": either(.freeObject, .text).saying("The receipt itself for `json`."),
            ]).named("ExportedReceipt")),
    ]).named("ReceiptsExported")

    package static let receiptBatchAnswer = object([
        "results": list(
            object([
                "receipt_id": .text, "valid": .boolean, "integrity_valid": .boolean, "signature_valid": .boolean,
                "error": text.orNull,
            ])),
        "summary": object(["total": .count, "valid": .count, "invalid": .count]), "verified_at": .time,
    ]).named("ReceiptBatchAnswer")

    package static let receiptShare = input([
        "expires_in_hours": whole(1...720).ifGiven, "max_accesses": whole(1...10_000).ifGiven,
        "redacted": boolean.ifGiven,
    ]).named("ReceiptShare")

    package static let receiptShared = object([
        "success": .boolean, "receipt_id": .receiptID, "share_url": .text, "token": .text, "expires_at": .time,
        "max_accesses": .count,
    ]).named("ReceiptShared")

    package static let receiptHold = input([
        "legal_hold": boolean.ifGiven, "reason": text(0...ReceiptRequests.maxReasonCharacters).ifGiven,
    ]).named("ReceiptHold")

    package static let receiptHeld = object([
        "receipt_id": .receiptID, "legal_hold": .boolean, "reason": text.orNull,
    ]).named("ReceiptHeld")

    /// Its events are envelopes, described in docs/protocol.md.
    package static let receiptBundle = object([
        "bundle_version": .constant(1), "receipt": .receipt, "events": list(.any).optional,
        "excerpts": list(object(["event": .any, "path": path])).optional,
        "log": object([
            "head": .treeHead, "inclusion": path, "leaf_index": .count,
            "consistency": object(["first": .count, "path": path]).optional,
        ]).optional,
    ]).named("ReceiptBundle")

    package static let treeHead = object([
        "origin": .text, "root_hash": digest, "timestamp": .time, "tree_size": .count, "type": .text, "v": .constant(1),
        "key_id": text.orNull, "signature": text.orNull,
    ]).named("TreeHead")

    private static let leaf = object([
        "checksum": digest, "receipt_id": .receiptID, "redacted_checksum": digest.orNull, "v": .constant(1),
    ]).named("ReceiptLeaf")

    package static let inclusionProof = object([
        "leaf_index": .count, "tree_size": .count, "leaf": leaf, "inclusion": path, "head": .treeHead,
    ]).named("InclusionProof")

    package static let consistencyProof = object(["first": .count, "second": .count, "path": path])
        .named("ConsistencyProof")

    private static let logEntry = object(["leaf_index": .count, "leaf": leaf, "logged_at": .time])
    package static let logEntries = object([
        "entries": list(logEntry), "items": list(logEntry), "count": .count, "tree_size": .count,
    ]).named("LogEntries")

    package static let signingKeys = object([
        "algorithm": .text, "key_id": text.orNull, "public_key": text.orNull, "public_key_pem": text.orNull,
        "hmac_key_id": text.orNull,
        "keys": list(
            object([
                "key_id": .text, "algorithm": .text, "public_key": .text, "public_key_pem": .text, "current": .boolean,
            ])),
    ]).named("SigningKeys")

    package static let receiptSignature = object([
        "receipt_id": .receiptID, "signature_valid": .boolean, "algorithm": .text, "key_id": text.orNull,
        "signed_at": text.orNull, "error": text.orNull, "verification_timestamp": .time,
    ]).named("ReceiptSignature")
}
