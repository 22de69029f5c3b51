/// What a JSON value must look like: the part of JSON Schema 2020-12 that our bodies need, as a value.
///
/// Bodies are described beside the code that writes or reads them; the API's description is made of these, and tests
/// compare what is really sent with them.
package struct Schema: Sendable {
    package indirect enum Form: Sendable {
        /// Any JSON value.
        case any
        case boolean
        case integer(minimum: Int64?, maximum: Int64?)
        case number(minimum: Double?, maximum: Double?)
        case string(TextRule)
        /// One of these texts.
        case word([String])
        /// Exactly this text, number or boolean.
        case constant(JSONValue)
        case array(Schema, maximum: Int?)
        case object([Member], others: Others)
        /// Any of these.
        case either([Schema])
    }

    /// What a text must look like.
    package struct TextRule: Sendable {
        package var minimum: Int?
        package var maximum: Int?
        /// A regular expression (ECMA 262) that matches somewhere: anchor it.
        package var pattern: String?
        /// A name of JSON Schema, such as `date-time`: told, not checked.
        package var format: String?
    }

    package struct Member: Sendable {
        package let name: String
        package let schema: Schema
    }

    /// Members besides those that are named.
    package enum Others: Sendable {
        /// There are none: a body with one is not as described. Readers are still told to ignore what they do not know.
        case none
        /// Whatever there is, is ignored.
        case ignored
        /// Names are data; this is what each holds.
        case all(Schema)
    }

    package var form: Form
    /// Named schemas stand once in the description, and are referred to.
    package var name: String?
    package var about: String?
    package var isNullable = false
    /// Whether the member that has this schema may be missing.
    package var isOptional = false

    package init(_ form: Form) { self.form = form }
}

extension Schema {
    package static let any = Schema(.any)
    package static let boolean = Schema(.boolean)
    package static let text = Schema(.string(TextRule()))
    package static let whole = Schema(.integer(minimum: nil, maximum: nil))
    package static let count = Schema(.integer(minimum: 0, maximum: nil))
    package static let number = Schema(.number(minimum: nil, maximum: nil))
    package static let amount = Schema(.number(minimum: 0, maximum: nil))
    /// From 0 to 1.
    package static let share = Schema(.number(minimum: 0, maximum: 1))
    /// RFC 3339, in UTC.
    package static let time = Schema(.string(TextRule(format: "date-time")))
    /// An object whose members are the user's.
    package static let freeObject = Schema(.object([], others: .all(.any)))

    package static func whole(_ range: ClosedRange<Int>) -> Schema {
        Schema(.integer(minimum: Int64(range.lowerBound), maximum: Int64(range.upperBound)))
    }
    package static func number(_ range: ClosedRange<Double>) -> Schema {
        Schema(.number(minimum: range.lowerBound, maximum: range.upperBound))
    }
    package static func text(_ length: ClosedRange<Int>, pattern: String? = nil) -> Schema {
        Schema(.string(TextRule(minimum: length.lowerBound, maximum: length.upperBound, pattern: pattern)))
    }
    package static func text(pattern: String) -> Schema { Schema(.string(TextRule(pattern: pattern))) }
    package static func word(_ words: [String]) -> Schema { Schema(.word(words)) }
    package static func constant(_ value: JSONValue) -> Schema { Schema(.constant(value)) }
    package static func list(_ item: Schema, maximum: Int? = nil) -> Schema { Schema(.array(item, maximum: maximum)) }
    package static func either(_ schemas: Schema...) -> Schema { Schema(.either(schemas)) }
    package static func map(_ value: Schema) -> Schema { Schema(.object([], others: .all(value))) }

    /// An object that we write: these members and no others.
    package static func object(_ members: KeyValuePairs<String, Schema>) -> Schema {
        Schema(.object(members.map { Member(name: $0.key, schema: $0.value) }, others: .none))
    }

    /// An object that we read: members we do not know are ignored.
    package static func input(_ members: KeyValuePairs<String, Schema>) -> Schema {
        Schema(.object(members.map { Member(name: $0.key, schema: $0.value) }, others: .ignored))
    }

    /// The same object with members of another one after its own.
    package func and(_ members: KeyValuePairs<String, Schema>) -> Schema {
        guard case .object(let own, let others) = form else { preconditionFailure("only an object has members") }
        var schema = self
        schema.name = nil
        schema.form = .object(own + members.map { Member(name: $0.key, schema: $0.value) }, others: others)
        return schema
    }

    /// May be null too.
    package var orNull: Schema { with { $0.isNullable = true } }
    /// May be missing.
    package var optional: Schema { with { $0.isOptional = true } }
    /// May be missing or null, which is the same to us: a field of a request.
    package var ifGiven: Schema { orNull.optional }
    /// Under a name of its own in the description.
    package func named(_ name: String) -> Schema { with { $0.name = name } }
    /// With a sentence for readers.
    package func saying(_ about: String) -> Schema { with { $0.about = about } }

    private func with(_ change: (inout Schema) -> Void) -> Schema {
        var schema = self
        change(&schema)
        return schema
    }
}
