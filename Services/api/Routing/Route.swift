import Domain
import HTTP

extension Routes {
    /// One line of the table.
    struct Route: Sendable {
        let method: Method
        let path: String
        let requirement: RouteRequirement
        /// One sentence for docs/protocol.md.
        let about: String
        /// What the body may have at most; nil for the server's limit.
        let bodyBytes: Int?
        let responder: @Sendable (Routes) -> Responder

        init(
            _ method: Method, _ path: String, _ requirement: RouteRequirement, _ about: String, bodyBytes: Int? = nil,
            _ responder: @escaping @Sendable (Routes) -> Responder
        ) {
            self.method = method
            self.path = path
            self.requirement = requirement
            self.about = about
            self.bodyBytes = bodyBytes
            self.responder = responder
        }
    }
}
