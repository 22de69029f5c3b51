/// Batches, links, searches, and what people change.
extension Schema {
    package static let batchID = text(pattern: "^bat_[0-9a-hjkmnp-tv-z]{26}$")
    private static let priority = either(whole(BatchRequest.priorityRange), text(pattern: "^(low|normal|high)$"))
        .ifGiven
    private static let batchItems = list(
        createDebate.and(["priority": priority]).named("BatchItem"), maximum: BatchRequest.maximumItems)

    package static let createBatch = input([
        "items": batchItems.ifGiven, "requests": batchItems.ifGiven, "priority": priority,
        "max_parallel": whole(1...BatchRequest.maximumItems).ifGiven.saying(
            "Taken; how many run at a time, the workers decide."),
        "metadata": freeObject.ifGiven.saying("Of every item that has not the member itself."),
    ]).and(callbackFields).saying("`items`, or `requests`, with 1 to 1000 debates.").named("CreateBatch")

    package static let batchCreated = object([
        "success": .constant(true), "batch_id": .batchID, "items_queued": .count, "status_url": .text,
        "created_at": .time, "items": list(object(["index": .count, "debate_id": .debateID])),
        "webhook_secret": webhookSecret,
    ]).named("BatchCreated")

    private static let batchMembers: KeyValuePairs<String, Schema> = [
        "batch_id": .batchID, "status": word(batchStates), "total": .count, "completed": .count, "failed": .count,
        "pending": .count, "running": .count, "progress_percent": number(0...100), "created_at": .time,
    ]
    package static let batchStates = ["pending", "processing", "completed", "partial", "failed"]
    package static let batchStatus = object(batchMembers).and([
        "items": list(
            object([
                "index": .count, "debate_id": .debateID, "task": .text, "status": .debateStatus,
                "consensus_reached": .boolean, "confidence": share.orNull, "error": text.orNull,
            ]).named("BatchItemStatus"))
    ]).named("BatchStatus")
    package static let batches = page("batches", of: object(batchMembers).named("BatchRow")).named("BatchPage")

    package static let updateDebate = input([
        "title": text(0...UpdateDebateRequest.maximumTitleCharacters).ifGiven,
        "tags": list(
            text(1...UpdateDebateRequest.maximumTagCharacters, pattern: "\\S"), maximum: UpdateDebateRequest.maximumTags
        ).ifGiven,
        "status": word(UpdateDebateRequest.Wish.allCases.map(\.rawValue)).ifGiven, "metadata": freeObject.ifGiven,
    ]).saying("At least one of them.").named("UpdateDebate")

    package static let shareDebate = input([
        "expires_in_hours": whole(1...ShareRequest.secondsRange.upperBound / 3600).ifGiven,
        "expires_in_seconds": whole(ShareRequest.secondsRange).ifGiven,
    ]).named("ShareDebate")
    package static let shareCreated = object([
        "success": .constant(true), "debate_id": .debateID, "token": .text, "share_token": .text, "share_url": .text,
        "expires_at": .time,
    ]).named("ShareCreated")
    package static let shareRevoked = object(["success": .constant(true), "debate_id": .debateID, "revoked": .count])
        .named("ShareRevoked")
    package static let sharedDebate = object([
        "debate_id": .debateID, "debate": debate, "expires_at": .time, "views": .count, "read_only": .constant(true),
    ]).named("SharedDebate")

    package static let search = input([
        "query": text(1...SearchRequest.maximumCharacters).ifGiven,
        "q": text(1...SearchRequest.maximumCharacters).ifGiven,
        "scope": word(SearchRequest.scopes).ifGiven, "limit": whole(SearchRequest.limitRange).ifGiven,
        "offset": whole(SearchRequest.offsetRange).ifGiven,
    ]).saying("`query`, or `q`.").named("Search")
    package static let found = page(
        "results", of: debateRow.and(["type": .constant("debate"), "score": .amount, "snippet": .text]).named("Found")
    ).and(["query": .text]).named("FoundPage")
}
