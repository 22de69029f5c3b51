import Contracts
import Testing

@Suite("Schemas")
struct SchemaTests {
    private static let schema = Schema.object([
        "name": .text(1...3), "count": .count, "kind": .word(["a", "b"]), "tags": .list(.text, maximum: 2),
        "score": Schema.share.orNull, "more": Schema.boolean.optional,
    ])
    private static let good: JSONValue = [
        "name": "né", "count": 0, "kind": "a", "tags": ["x"], "score": nil,
    ]

    @Test("a value that is as described has no problem")
    func good() {
        #expect(Self.schema.problems(with: Self.good) == [])
        #expect(Self.schema.problems(with: .encoded(Self.good.bytes)) == [])
    }

    @Test(
        "what is not as described is named with its place",
        arguments: [
            ("name", .string(""), "$.name"), ("name", .string("four"), "$.name"), ("name", .int(1), "$.name"),
            ("count", .int(-1), "$.count"), ("count", .double(0.5), "$.count"), ("kind", .string("c"), "$.kind"),
            ("tags", .array([.null]), "$.tags[0]"), ("tags", .array(["x", "y", "z"]), "$.tags"),
            ("score", .double(1.5), "$.score"), ("more", .null, "$.more"), ("other", true, "$: other"),
            ("count", nil, "$: lacks count"),
        ] as [(String, JSONValue?, String)])
    func bad(name: String, value: JSONValue?, place: String) throws {
        var object = try #require(Self.good.object)
        object[name] = value
        let problems = Self.schema.problems(with: .object(object))
        #expect(problems.count == 1 && problems.first?.hasPrefix(place) == true, "\(problems)")
    }

    @Test("names that are data hold what the map says, and one of several forms is enough")
    func maps() {
        let map = Schema.map(.either(.count, .text))
        #expect(map.problems(with: ["a": 1, "b": "two"]) == [])
        #expect(map.problems(with: ["a": true]).count == 1)
    }

    @Test("JSON Schema says the same")
    func json() {
        let expected: JSONValue = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "minLength": 1, "maxLength": 3], "count": ["type": "integer", "minimum": 0],
                "kind": ["type": "string", "enum": ["a", "b"]],
                "tags": ["type": "array", "items": ["type": "string"], "maxItems": 2],
                "score": ["type": ["number", "null"], "minimum": 0, "maximum": 1], "more": ["type": "boolean"],
            ],
            "required": ["name", "count", "kind", "tags", "score"],
        ]
        #expect(Self.schema.json == expected)
        #expect(Schema.text.named("Name").json == ["$ref": "#/components/schemas/Name"])
        #expect(Schema.list(Schema.text.named("Name")).namedParts.keys.sorted() == ["Name"])
    }
}
