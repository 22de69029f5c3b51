import Contracts
import Domain
import HTTP

extension Routes {
    /// The installation's own secrets.
    static let securityRoutes: [Route] = [
        Route(
            .get, "/api/admin/security/keys", .permission(.adminRead),
            "Encryption keys by version, and how many stored secrets are under each.", answers: .json(.storedKeys),
            refuses: [.notConfigured]
        ) { $0.keyRotation.keys },
        Route(
            .get, "/api/admin/security/rotation-status", .permission(.adminRead), "The newest rotations.",
            answers: .json(.keyRotations)
        ) { $0.keyRotation.status },
        Route(
            .post, "/api/admin/security/rotate-key", .permission(.adminManage),
            "Seals every stored secret under the key that is set.", cost: .bulk, bodyBytes: 4096,
            takes: .init(.keyRotationWish, isRequired: false), answers: .json(.keyRotationOutcome),
            refuses: [.notConfigured]
        ) { $0.keyRotation.rotate },
    ]
}
