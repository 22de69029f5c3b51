/// The parameters of a query, decoded, in order.
package struct QueryItems: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package private(set) var items: [Item] = []

    package init() {}

    /// Parses `name=value&name=value` as forms and `URLSearchParams` write it: `+` is a space, a missing `=` an empty value.
    ///
    /// - Throws: 400 for a bad escape, a decoded NUL, text that is not UTF-8, or more than `limit` parameters.
    package init(_ query: some Collection<UInt8>, limit: Int) throws(HTTPError) {
        for pair in query.split(separator: UInt8(ascii: "&")) {
            guard items.count < limit else { throw .malformed("The query has too many parameters.") }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let value = equals == pair.endIndex ? pair[equals...] : pair[pair.index(after: equals)...]
            guard let name = PercentCoding.decode(pair[..<equals], plusIsSpace: true),
                let value = PercentCoding.decode(value, plusIsSpace: true)
            else { throw .malformed("The query is not percent-encoded UTF-8.") }
            items.append(Item(name: name, value: value))
        }
    }

    /// The value of the first parameter of this name; names are case-sensitive.
    package subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }

    /// The values of all parameters of this name.
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
}
