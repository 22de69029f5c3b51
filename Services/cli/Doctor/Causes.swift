import Contracts
import Platform

/// Leaves out findings that are only what another finding leads to.
enum Causes {
    typealias Check = CommandReports.Check

    /// Of these two the second goes when the first is there.
    private static let consequences: [(cause: [Fault], effect: [Fault])] = [
        // A clock that is wrong judges every date wrongly.
        ([.clockSkew], [.certificateExpired, .certificateEndsSoon, .backupOld]),
        ([.clientOlder, .diskFull, .folderReadOnly, .folderMissing], [.backupFailed, .backupOld, .backupMissing]),
        ([.backupFailed], [.backupOld, .backupMissing]),
        ([.encryptionKeyShort], [.secretUnreadable, .secretsOfPreviousKey]),
        ([.workerMissing, .redisMemory, .redisReplica], [.bellMissing]),
        (
            [
                .postgresUnreachable, .postgresPassword, .postgresDatabase, .postgresSlots, .postgresAnswer,
                .migrationMissing, .schemaNewer, .schemaForeign, .redisUnreachable, .redisPassword, .portTaken,
                .clockSkew,
            ], [.serviceNotReady]
        ),
        ([.certificateExpired], [.certificateEndsSoon]),
    ]

    static func only(_ sections: [Doctor.Section]) -> [Doctor.Section] {
        let all = sections.flatMap(\.checks)
        let codes = Set(all.compactMap(\.code))
        let effects = Set(
            consequences.filter { !codes.isDisjoint(with: $0.cause.map(\.code)) }.flatMap(\.effect).map(\.code))
        let placeholders = all.filter { $0.has(.secretPlaceholder) }.map(\.message)
        return sections.map { title, checks in
            (title, checks.filter { !effects.contains($0.code ?? "") && !isRefused($0, placeholders) })
        }
    }

    /// Who is shown a template's text refuses it.
    private static func isRefused(_ check: Check, _ placeholders: [String]) -> Bool {
        func isPlaceholder(_ word: String) -> Bool { placeholders.contains { $0.uppercased().contains(word) } }
        if check.has(.postgresPassword) { return isPlaceholder("POSTGRES") }
        if check.has(.redisPassword) { return isPlaceholder("REDIS") }
        if check.has(.secretUnreadable) { return isPlaceholder("ENCRYPTION_KEY") }
        guard check.has(.providerKeyRefused) else { return false }
        return isPlaceholder(check.name.dropFirst("provider_".count).uppercased())
    }
}
