import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// Stored secrets and the encryption keys, for the installation's administrators.
struct KeyRotationHandler: Sendable {
    let store: KeyRotationStore
    let scheduler: KeyRotationScheduler
    /// Nil when nothing is set that outlives the process.
    let box: SecretBox?
    let settings: KeyRotationSettings
    let services: AccountServices

    func keys(_ request: Request, _ context: RequestContext) async throws -> Response {
        let box = try sealing()
        _ = try await AccountServices.asking { try await store.learn(box.currentVersion) }
        let standing = try await AccountServices.asking { try await store.standing() }
        return AccountServices.json(KeyStandingReport(standing, box, settings).json)
    }

    func status(_ request: Request, _ context: RequestContext) async throws -> Response {
        let standing = try await AccountServices.asking { try await store.standing() }
        return AccountServices.json(
            KeyRotationBody.status(
                standing.rotations.map { .init($0) }, isRunning: standing.rotations.first?.state == .inProgress))
    }

    func rotate(_ request: Request, _ context: RequestContext) async throws -> Response {
        try KeyRotationBody.wish(request.body)
        _ = try sealing()
        let outcome = try await AccountServices.asking {
            try await scheduler.rotate(
                requestedBy: context.caller.subject, isOrdered: true, from: services.origin(request, context))
        }
        let report = outcome.report
        return AccountServices.json(
            KeyRotationBody.outcome(report.word, report.rotation, message: report.sentence))
    }

    private func sealing() throws(APIError) -> SecretBox {
        guard let box else {
            throw APIError(.notConfigured, "No encryption key is set.", suggestion: "set ARAGORA_ENCRYPTION_KEY")
        }
        return box
    }
}
