/// One method of one path, as the API's description tells it.
package struct APIOperation: Sendable {
    /// A value in the path, in the query or in a header.
    package struct Parameter: Sendable {
        package enum Place: String, Sendable { case path, query, header }
        package let name: String
        package let place: Place
        package let schema: Schema
        package let about: String
        package let isRequired: Bool

        package init(_ name: String, in place: Place, _ schema: Schema, _ about: String, isRequired: Bool = false) {
            self.name = name
            self.place = place
            self.schema = schema
            self.about = about
            self.isRequired = isRequired || place == .path
        }
    }

    /// The body of a request.
    package struct Body: Sendable {
        package let schema: Schema
        package let isRequired: Bool
        package init(_ schema: Schema, isRequired: Bool = true) {
            self.schema = schema
            self.isRequired = isRequired
        }
    }

    /// One way to be answered.
    package struct Answer: Sendable {
        package let status: Int
        /// Without parameters; nil for no body.
        package let type: String?
        /// Nil for a body that is no JSON.
        package let schema: Schema?
        package init(status: Int, type: String?, schema: Schema?) {
            self.status = status
            self.type = type
            self.schema = schema
        }
    }

    /// Lower case.
    package let method: String
    package let path: String
    package let about: String
    /// Nil where no credential is needed.
    package let permission: String?
    package let costClass: String
    package let bodyBytes: Int
    package let parameters: [Parameter]
    package let body: Body?
    package let answers: [Answer]
    /// What it may be refused with.
    package let errors: [ErrorCode]
    /// Whether requests are counted, so that an answer tells the limit.
    package let isCounted: Bool

    package init(
        method: String, path: String, about: String, permission: String?, costClass: String, bodyBytes: Int,
        parameters: [Parameter], body: Body?, answers: [Answer], errors: [ErrorCode], isCounted: Bool
    ) {
        self.method = method
        self.path = path
        self.about = about
        self.permission = permission
        self.costClass = costClass
        self.bodyBytes = bodyBytes
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.errors = errors
        self.isCounted = isCounted
    }

    /// `GET /api/debates/{id}/votes` is `get_api_debates_id_votes`.
    package var identifier: String {
        let words = path.split { !$0.isLetter && !$0.isNumber }
        return ([Substring(method)] + words).joined(separator: "_")
    }

    /// What it belongs to: the first word of the path after `api`, for debates and health whatever it is.
    package var area: String {
        let words = path.split(separator: "/")
        let word = words.first == "api" ? words.dropFirst().first : words.first
        return switch word {
        case "debate", "debate-this": "debates"
        case "healthz", "readyz", "ready", "metrics": "health"
        case "openapi.json": "description"
        default: word.map(String.init) ?? "root"
        }
    }
}
