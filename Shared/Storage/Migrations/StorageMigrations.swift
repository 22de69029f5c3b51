package import PostgresClient

/// The schema, step by step. A step that was released is never edited: a new one follows it.
///
/// Each is a Swift file that holds its SQL, so that every executable carries the schema and finds it without a path.
package enum StorageMigrations {
    package static let all = [
        Migrator.Migration(version: 1, name: "create_debates", sql: M0001CreateDebates.sql),
        Migrator.Migration(version: 2, name: "create_event_log", sql: M0002CreateEventLog.sql),
        Migrator.Migration(version: 3, name: "create_agent_calls", sql: M0003CreateAgentCalls.sql),
        Migrator.Migration(version: 4, name: "create_runners", sql: M0004CreateRunners.sql),
        Migrator.Migration(version: 5, name: "create_transcript_views", sql: M0005CreateTranscriptViews.sql),
        Migrator.Migration(version: 6, name: "create_receipts", sql: M0006CreateReceipts.sql),
        Migrator.Migration(version: 7, name: "create_backups", sql: M0007CreateBackups.sql),
        Migrator.Migration(version: 8, name: "create_ended_index", sql: M0008CreateEndedIndex.sql),
        Migrator.Migration(version: 9, name: "create_erasure", sql: M0009CreateErasure.sql),
        Migrator.Migration(version: 10, name: "create_ratings", sql: M0010CreateRatings.sql),
        Migrator.Migration(version: 11, name: "create_branches", sql: M0011CreateBranches.sql),
        Migrator.Migration(version: 12, name: "create_budgets", sql: M0012CreateBudgets.sql),
        Migrator.Migration(version: 13, name: "create_accounts", sql: M0013CreateAccounts.sql),
        Migrator.Migration(version: 14, name: "create_receipt_log", sql: M0014CreateReceiptLog.sql),
        Migrator.Migration(version: 15, name: "create_knowledge", sql: M0015CreateKnowledge.sql),
        Migrator.Migration(version: 16, name: "create_webhooks", sql: M0016CreateWebhooks.sql),
        Migrator.Migration(version: 17, name: "create_batches", sql: M0017CreateBatches.sql),
        Migrator.Migration(version: 18, name: "create_callbacks", sql: M0018CreateCallbacks.sql),
        Migrator.Migration(version: 19, name: "shorten_ends", sql: M0019ShortenEnds.sql),
        Migrator.Migration(version: 20, name: "cheapen_checks", sql: M0020CheapenChecks.sql),
        Migrator.Migration(version: 21, name: "create_key_rotation", sql: M0021CreateKeyRotation.sql),
        Migrator.Migration(version: 22, name: "create_sign_on", sql: M0022CreateSignOn.sql),
        Migrator.Migration(version: 23, name: "create_traces", sql: M0023CreateTraces.sql),
        Migrator.Migration(version: 24, name: "create_tag_index", sql: M0024CreateTagIndex.sql),
        Migrator.Migration(version: 25, name: "bound_first_events", sql: M0025BoundFirstEvents.sql),
        Migrator.Migration(version: 26, name: "partition_events", sql: M0026PartitionEvents.sql),
    ]
}
