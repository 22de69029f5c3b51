/// One statement with its parameters. Every interpolated value becomes `$n`; it never enters the text.
///
/// ```swift
/// let page: SQL = "SELECT id FROM debates WHERE owner_id = \(owner) AND seq > \(seq) LIMIT \(limit)"
/// ```
/// The text is the key of the prepared-statement cache: write lists as `= ANY(\(array))`, not as many parameters.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The wire format counts parameters in 16 bits.
    package static let maxBinds = 65_535
    /// Bytes of all parameters of one statement.
    package static let maxBindBytes = 64 * 1024 * 1024

    package let text: String
    package let binds: [PGValue]
    let types: [PGType]

    /// - Parameter text: a fixed text, with `$1`… for `binds`.
    package init(text: String, binds: [PGValue] = []) {
        self.init(text: text, binds: binds, types: binds.map(\.type))
    }

    init(text: String, binds: [PGValue], types: [PGType]) {
        self.text = text
        self.binds = binds
        self.types = types
    }

    package init(stringLiteral value: String) { self.init(text: value) }

    package init(stringInterpolation: StringInterpolation) {
        self.init(text: stringInterpolation.text, binds: stringInterpolation.binds, types: stringInterpolation.types)
    }

    /// Why this can not be sent; nil when it can.
    var problem: PGError? {
        guard binds.count <= Self.maxBinds else { return PGError(.invalid, "more than \(Self.maxBinds) parameters") }
        guard !text.holdsNUL else { return PGError(.invalid, "the statement holds a NUL character") }
        var size = 0
        for (index, bind) in binds.enumerated() {
            guard !bind.holdsNUL else { return PGError(.invalid, "parameter $\(index + 1) holds a NUL character") }
            size += bind.sizeBytes
        }
        guard size <= Self.maxBindBytes else { return PGError(.invalid, "parameters over \(Self.maxBindBytes) bytes") }
        return nil
    }
}

extension SQL {
    /// Builds a statement; see ``SQL``.
    package struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var binds: [PGValue] = []
        var types: [PGType] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            binds.reserveCapacity(interpolationCount)
            types.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        /// Fixed text only, such as a column list: never anything that came from outside.
        package mutating func appendInterpolation(raw literal: String) { text += literal }

        /// Another statement's text and parameters, renumbered.
        package mutating func appendInterpolation(_ fragment: SQL) {
            text += fragment.text(shiftedBy: binds.count)
            binds += fragment.binds
            types += fragment.types
        }

        package mutating func appendInterpolation(_ value: PGValue) { bind(value, value.type) }
        package mutating func appendInterpolation(_ value: String) { bind(.text(value), .text) }
        package mutating func appendInterpolation(_ value: String?) { bind(value.map(PGValue.text), .text) }
        package mutating func appendInterpolation(_ value: Int) { bind(.int(Int64(value)), .int8) }
        package mutating func appendInterpolation(_ value: Int?) { bind(value.map { .int(Int64($0)) }, .int8) }
        package mutating func appendInterpolation(_ value: Int64) { bind(.int(value), .int8) }
        package mutating func appendInterpolation(_ value: Int64?) { bind(value.map(PGValue.int), .int8) }
        package mutating func appendInterpolation(_ value: Int32) { bind(.int(Int64(value)), .int8) }
        package mutating func appendInterpolation(_ value: Int32?) { bind(value.map { .int(Int64($0)) }, .int8) }
        package mutating func appendInterpolation(_ value: Double) { bind(.double(value), .float8) }
        package mutating func appendInterpolation(_ value: Double?) { bind(value.map(PGValue.double), .float8) }
        package mutating func appendInterpolation(_ value: Bool) { bind(.bool(value), .bool) }
        package mutating func appendInterpolation(_ value: Bool?) { bind(value.map(PGValue.bool), .bool) }
        package mutating func appendInterpolation(_ value: [UInt8]) { bind(.bytes(value), .bytea) }
        package mutating func appendInterpolation(_ value: [UInt8]?) { bind(value.map(PGValue.bytes), .bytea) }
        package mutating func appendInterpolation(_ value: [String]) { bind(.textArray(value), .textArray) }
        package mutating func appendInterpolation(_ value: [String?]) { bind(.textArray(value), .textArray) }
        package mutating func appendInterpolation(_ value: [Int]) {
            bind(.intArray(value.map { Int64($0) }), .int8Array)
        }
        package mutating func appendInterpolation(_ value: [Int64]) { bind(.intArray(value), .int8Array) }
        package mutating func appendInterpolation(_ value: [Int64?]) { bind(.intArray(value), .int8Array) }
        package mutating func appendInterpolation(_ value: [[UInt8]]) { bind(.bytesArray(value), .byteaArray) }
        package mutating func appendInterpolation(_ value: [[UInt8]?]) { bind(.bytesArray(value), .byteaArray) }
        package mutating func appendInterpolation(_ value: [Bool]) { bind(.boolArray(value), .boolArray) }
        package mutating func appendInterpolation(_ value: [Bool?]) { bind(.boolArray(value), .boolArray) }
        package mutating func appendInterpolation<Value: PGEncodable>(_ value: Value) {
            bind(value.pgValue, Value.pgNull.type)
        }
        package mutating func appendInterpolation<Value: PGEncodable>(_ value: Value?) {
            bind(value?.pgValue, Value.pgNull.type)
        }

        private mutating func bind(_ value: PGValue?, _ type: PGType) {
            binds.append(value ?? .null)
            types.append(type)
            text += "$\(binds.count)"
        }
    }

    /// The text with every `$n` raised by `offset`. By bytes: every append is put together from several fragments.
    private func text(shiftedBy offset: Int) -> String {
        guard offset > 0, !binds.isEmpty else { return text }
        var (text, shifted) = (text, [UInt8]())
        shifted.reserveCapacity(text.utf8.count + 2 * binds.count)
        text.withUTF8 { bytes in
            var (start, next) = (0, 0)
            while next < bytes.count {
                next += 1
                guard unsafe bytes[next - 1] == UInt8(ascii: "$") else { continue }
                unsafe shifted.append(contentsOf: bytes[start..<next])
                var number = 0
                while next < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(unsafe bytes[next]) {
                    number = unsafe number * 10 + Int(bytes[next] - UInt8(ascii: "0"))
                    next += 1
                }
                if number > 0 { shifted.append(contentsOf: String(number + offset).utf8) }
                start = next
            }
            unsafe shifted.append(contentsOf: bytes[start...])
        }
        return String(decoding: shifted, as: UTF8.self)
    }
}
