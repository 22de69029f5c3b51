/// Fields that many responses have in common, written once.
package final class FieldBlock: Sendable {
    let fields: [Headers.Field]
    /// As they stand on the wire.
    let bytes: [UInt8]

    /// - Parameter fields: each name once; those that frame a message are the writer's and ignored.
    package init(_ fields: (HeaderName, HeaderValue)...) {
        var headers = Headers()
        for (name, value) in fields { headers[name] = value }
        self.fields = headers.fields
        var bytes: [UInt8] = []
        for field in headers.fields { ResponseWriter.appendField(field, to: &bytes) }
        self.bytes = bytes
    }

    subscript(_ name: HeaderName) -> HeaderValue? { fields.first { $0.name == name }?.value }
}
