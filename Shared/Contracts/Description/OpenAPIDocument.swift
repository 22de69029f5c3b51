/// The API's description in OpenAPI 3.1, made of its operations and the schemas they name.
package struct OpenAPIDocument: Sendable {
    package static let version = "1.0.0"
    private static let about = """
        Debates between language models, recorded event by event, with receipts that anyone can check.

        `/api/X`, `/api/v1/X` and `/api/v2/X` are one route; the first is described. `HEAD` is answered wherever `GET` is, \
        `OPTIONS` to pages of allowed origins. Whoever reads an answer ignores members it does not know.
        """

    private let operations: [APIOperation]

    package init(_ operations: [APIOperation]) { self.operations = operations }

    package var json: JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Aragora", "version": .string(Self.version), "description": .string(Self.about),
            ],
            "servers": [["url": "/", "description": "This installation."]],
            "tags": .array(areas.map { ["name": .string($0)] }),
            "paths": paths,
            "components": [
                "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
                "headers": Self.headers, "responses": refusals, "schemas": schemas,
            ],
        ]
    }

    private var areas: [String] {
        operations.map(\.area).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private var paths: JSONValue {
        var paths = JSONObject()
        for operation in operations {
            var item = paths[operation.path]?.object ?? JSONObject()
            item.append(operation.method, Self.describe(operation))
            paths[operation.path] = .object(item)
        }
        return .object(paths)
    }

    private var schemas: JSONValue {
        var parts = Schema.error.namedParts
        for operation in operations {
            let used = [operation.body?.schema] + operation.answers.map(\.schema)
            for schema in used.compactMap(\.self) + operation.parameters.map(\.schema) {
                parts.merge(schema.namedParts) { first, _ in first }
            }
        }
        return .object(JSONObject(parts.sorted { $0.key < $1.key }.map { ($0.key, $0.value.definition) }))
    }

    private static func describe(_ operation: APIOperation) -> JSONValue {
        var object = JSONObject([
            ("operationId", .string(operation.identifier)), ("tags", .strings([operation.area])),
            ("summary", .string(operation.about)),
            ("security", operation.permission == nil ? .array([.object(JSONObject())]) : [["bearer": []]]),
            ("x-permission", .string(operation.permission ?? "open")), ("x-cost", .string(operation.costClass)),
            ("x-errors", .strings(operation.errors.map(\.rawValue))),
        ])
        if !operation.parameters.isEmpty {
            object.append("parameters", .array(operation.parameters.map(describe)))
        }
        if let body = operation.body {
            object.append("x-body-bytes", .int(Int64(operation.bodyBytes)))
            object.append(
                "requestBody",
                [
                    "required": .bool(body.isRequired),
                    "content": ["application/json": ["schema": body.schema.json]],
                ])
        }
        object.append("responses", responses(operation))
        return .object(object)
    }

    private static func describe(_ parameter: APIOperation.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.isRequired), "description": .string(parameter.about),
            "schema": parameter.schema.json,
        ]
    }

    private static func responses(_ operation: APIOperation) -> JSONValue {
        var responses = JSONObject()
        for answer in operation.answers {
            let key = String(answer.status)
            var response = responses[key]?.object ?? response("Done.", isCounted: operation.isCounted)
            if let type = answer.type {
                var content = response["content"]?.object ?? JSONObject()
                content[type] = answer.schema.map { ["schema": $0.json] } ?? ["schema": ["type": "string"]]
                response["content"] = .object(content)
            }
            responses[key] = .object(response)
        }
        for status in Set(operation.errors.map(\.status)).sorted() {
            let key = String(status)
            // A status may be an answer too: readiness has a body of its own at 503.
            if var own = responses[key]?.object, let schema = own["content"]?["application/json"]?["schema"] {
                own["content"] = ["application/json": ["schema": ["anyOf": [schema, Schema.error.json]]]]
                responses[key] = .object(own)
            } else {
                responses[key] = ["$ref": .string("#/components/responses/\(key)")]
            }
        }
        return .object(responses)
    }

    /// One for each status: which codes it may have at an operation, its `x-errors` say.
    private var refusals: JSONValue {
        let codes = Set(operations.flatMap(\.errors))
        return .object(
            JSONObject(
                Set(codes.map(\.status)).sorted().map { status in
                    let own = ErrorCode.allCases.filter { $0.status == status && codes.contains($0) }
                    let about = own.map { "`\($0.rawValue)`: \($0.sentence)" }.joined(separator: " ")
                    var answer = Self.response(about, isCounted: true)
                    if status == 429 || status == 503 { Self.addHeaders(["Retry-After"], to: &answer) }
                    if status == 401 { Self.addHeaders(["WWW-Authenticate"], to: &answer) }
                    answer["content"] = ["application/json": ["schema": Schema.error.json]]
                    return (String(status), .object(answer))
                }))
    }

    private static func response(_ about: String, isCounted: Bool) -> JSONObject {
        var response = JSONObject([("description", .string(about))])
        addHeaders(["X-Request-ID", "X-Trace-ID", "X-API-Version"], to: &response)
        if isCounted { addHeaders(["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"], to: &response) }
        return response
    }

    private static func addHeaders(_ names: [String], to response: inout JSONObject) {
        var headers = response["headers"]?.object ?? JSONObject()
        for name in names { headers[name] = ["$ref": .string("#/components/headers/\(name)")] }
        response["headers"] = .object(headers)
    }

    private static let headers: JSONValue = .object(
        JSONObject(
            [
                (
                    "X-Request-ID", "Names this request in logs; taken over from the request when well-formed.",
                    Schema.text
                ),
                ("X-Trace-ID", "Joins the requests of one operation; from `traceparent`.", .text),
                ("X-API-Version", "What the path asked for.", .word(["v1", "v2"])),
                ("X-RateLimit-Limit", "Requests in the window; absent when the limit is off.", .count),
                ("X-RateLimit-Remaining", "What is left of them.", .count),
                ("X-RateLimit-Reset", "Seconds until all are back.", .count),
                ("Retry-After", "Seconds to wait before another try.", .count),
                ("WWW-Authenticate", "How to prove who asks.", .text),
            ].map { ($0.0, ["description": .string($0.1), "schema": $0.2.json]) }))
}
