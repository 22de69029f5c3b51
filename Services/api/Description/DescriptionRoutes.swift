import Contracts
import HTTP

extension Routes {
    /// What this API is, for programs.
    static let descriptionRoutes: [Route] = ["/openapi.json", "/api/openapi.json"].map { path in
        Route(
            .get, path, "This description, in OpenAPI 3.1.", answers: .json(.freeObject),
            instant: { _ in { _, _ in .json(APIDescription.bytes) } })
    }
}
