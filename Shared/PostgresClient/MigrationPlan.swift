/// Compares the migrations a program has with those a schema has. A pure value.
struct MigrationPlan {
    /// A row of `schema_migrations`.
    struct Applied {
        let version: Int
        let name: String
        let checksum: String
        let isCompatible: Bool
    }

    /// What remains to be applied, in order.
    let pending: [Migrator.Migration]

    /// - Throws: `.malformed`, `.checksumMismatch`, `.schemaIsNewer`, `.outOfOrder`.
    init(known: [Migrator.Migration], applied: [Applied]) throws(MigrationError) {
        let known = known.sorted { $0.version < $1.version }
        for (one, next) in zip(known, known.dropFirst()) where one.version == next.version {
            throw MigrationError(.malformed, "\(one.name) and \(next.name) have the same number \(one.version)")
        }
        for row in applied {
            guard let migration = known.first(where: { $0.version == row.version }) else {
                guard row.isCompatible else {
                    throw MigrationError(
                        .schemaIsNewer, "the schema has \(row.version) \(row.name), which this version does not know")
                }
                continue
            }
            guard migration.checksum == row.checksum else {
                throw MigrationError(.checksumMismatch, "\(row.version) \(row.name) was applied with another text")
            }
        }
        let done = Set(applied.map(\.version))
        pending = known.filter { !done.contains($0.version) }
        // Only steps this program knows count: a newer program's compatible ones may well come first.
        let newest = known.last { done.contains($0.version) }?.version ?? 0
        if let late = pending.first, late.version < newest {
            throw MigrationError(.outOfOrder, "\(late.version) \(late.name) is older than the applied \(newest)")
        }
    }
}
