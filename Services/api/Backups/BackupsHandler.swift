import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// `GET /api/backups`: what became of each backup, as the backup service noted it.
struct BackupsHandler: Sendable {
    let stores: APIStores

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 20, in: BackupStore.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        try query.finish()
        let found: (page: Page<BackupStore.Noted>, lastVerified: BackupStore.Noted?)
        do { found = try await stores.backups.list(limit: limit, offset: offset) } catch {
            throw APIError.unavailable(error)
        }
        return .json(
            CanonicalJSON.encode(
                BackupBody.page(
                    found.page.items.map(Self.row), total: found.page.total, limit: limit, offset: offset,
                    lastVerified: found.lastVerified.map(Self.row),
                    at: Timestamp(milliseconds: WallClock.nowMilliseconds()))))
    }

    private static func row(_ noted: BackupStore.Noted) -> BackupBody.Row {
        BackupBody.Row(
            id: noted.id, status: noted.status, file: noted.file, sizeBytes: noted.sizeBytes, checksum: noted.checksum,
            rows: noted.rows, generation: noted.generation, wasRestored: noted.wasRestored, failure: noted.failure,
            startedAt: noted.startedAt, finishedAt: noted.finishedAt, verifiedAt: noted.verifiedAt)
    }
}
