import Contracts
import HTTP

extension Routes {
    /// What this API is, for programs.
    static let descriptionRoutes: [Route] = ["/openapi.json", "/api/openapi.json"].map { path in
        Route(.get, path, .open, "This description, in OpenAPI 3.1.", cost: .probe, answers: .json(.freeObject)) { _ in
            { _, _ in .json(APIDescription.bytes) }
        }
    }
}
