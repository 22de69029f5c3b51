/// One entry of the jobs stream: a doorbell. What is to be done stands in Postgres; losing this loses nothing.
///
/// Fields `v`, `kind`, `id`, `trace`, `body`, each a text or bytes of its own in the stream entry.
package struct JobMessage: Sendable, Equatable {
    /// The version we write and read.
    package static let version = 1
    /// The largest body, in bytes.
    package static let maximumBodyBytes = 64 * 1024

    package enum Kind: String, Sendable {
        /// Run, or go on running, the debate of this id.
        case debate
    }

    package let kind: Kind
    /// The id of what is to be done.
    package let id: String
    /// The trace of the request that asked, as W3C Trace Context writes it, or empty.
    package let trace: String
    /// JSON the kind defines; empty for a debate.
    package let body: [UInt8]

    package init(kind: Kind, id: String, trace: String = "", body: [UInt8] = []) {
        self.kind = kind
        self.id = id
        self.trace = trace
        self.body = body
    }

    /// The names and values of the stream entry, in this order.
    package var fields: [(name: String, value: [UInt8])] {
        [
            ("v", Array(String(Self.version).utf8)), ("kind", Array(kind.rawValue.utf8)), ("id", Array(id.utf8)),
            ("trace", Array(trace.utf8)), ("body", body),
        ]
    }

    /// Reads a stream entry; fields we do not know are ignored.
    ///
    /// - Throws: ``ContractError``: the entry is to go to the dead stream, since reading it again gives the same.
    package init(fields: [(name: String, value: [UInt8])]) throws(ContractError) {
        func text(_ name: String) -> String? {
            fields.first { $0.name == name }.flatMap { String(validating: $0.value, as: UTF8.self) }
        }
        guard let version = text("v") else { throw ContractError(.malformed, "job without v") }
        guard version == String(Self.version) else {
            throw ContractError(.unknownVersion, "job v=\(version.prefix(20))")
        }
        guard let kind = text("kind").flatMap(Kind.init(rawValue:)) else {
            throw ContractError(.malformed, "job of unknown kind")
        }
        guard let id = text("id"), (1...64).contains(id.utf8.count) else {
            throw ContractError(.malformed, "job without a usable id")
        }
        let body = fields.first { $0.name == "body" }?.value ?? []
        guard body.count <= Self.maximumBodyBytes else {
            throw ContractError(.tooLarge, "job body of \(body.count) bytes")
        }
        self.init(kind: kind, id: id, trace: String((text("trace") ?? "").prefix(64)), body: body)
    }
}
