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
    ]).named("ReceiptPage")

    private static let receiptRow = object([
        "receipt_id": .receiptID, "gauntlet_id": .text, "debate_id": .debateID, "created_at": .amount,
        "timestamp": .time, "expires_at": amount.orNull, "verdict": .verdict, "confidence": .share,
        "risk_level": .riskLevel, "risk_score": .share, "checksum": .text, "audit_trail_id": text.orNull,
        "is_signed": .boolean, "has_timestamp": .boolean, "legal_hold": .boolean,
    ]).named("ReceiptRow")

    package static let receiptIntegrity = object([
        "receipt_id": .receiptID, "integrity_valid": .boolean, "stored_checksum": .text, "computed_checksum": .text,
        "chain_valid": .boolean, "verified_at": .time,
    ]).named("ReceiptIntegrity")

    package static let receiptSignature = object([
        "receipt_id": .receiptID, "signature_valid": .boolean, "algorithm": .text, "key_id": text.orNull,
        "signed_at": text.orNull, "error": text.orNull, "verification_timestamp": .time,
    ]).named("ReceiptSignature")
}
