/// The one byte form of a JSON value (RFC 8785): what is hashed and signed is written by this and nothing else.
package enum CanonicalJSON {
    /// The canonical bytes: keys sorted by UTF-16 code units, no spaces, numbers as ECMAScript prints them.
    package static func encode(_ value: JSONValue) -> [UInt8] {
        var text = JSONText()
        text.canonical(value)
        return text.bytes
    }

    /// The canonical bytes of an object.
    package static func encode(_ object: JSONObject) -> [UInt8] { encode(.object(object)) }
}
