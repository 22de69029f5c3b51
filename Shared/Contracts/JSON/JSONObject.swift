import Glibc

/// The members of a JSON object in order. Keys are compared by their code units: Swift's own string equality takes
/// "é" and "e" + U+0301 for one key, JSON does not.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        let name: JSONKey
        package var value: JSONValue
        package var key: String { name.text }

        init(key: String, value: JSONValue) { self.init(name: JSONKey(key), value: value) }

        init(name: JSONKey, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var members: [Member] = [] {
        didSet { isAscending = false }
    }
    /// Known to be in canonical order already, as what was read from canonical form is.
    private var isAscending = false

    package init() {}

    /// Takes members as they come; a key may come once.
    package init(_ members: [(String, JSONValue)]) {
        self.members = members.map { Member(key: $0.0, value: $0.1) }
    }

    init(members: [Member], isAscending: Bool = false) {
        self.members = members
        self.isAscending = isAscending
    }

    package var isEmpty: Bool { members.isEmpty }

    /// Reads a member; writing replaces it in place, appends it, or with nil removes it.
    package subscript(key: String) -> JSONValue? {
        get { index(of: key).map { members[$0].value } }
        set {
            switch (index(of: key), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Appends a member whose key is known to be new.
    package mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
    }

    /// The same members without those of these keys.
    package func removing(_ keys: String...) -> JSONObject {
        JSONObject(members: members.filter { member in !keys.contains { isSameKey($0, member.key) } })
    }

    private func index(of key: String) -> Int? {
        let name = JSONKey(key)
        return members.firstIndex { $0.name == name }
    }
}

extension JSONObject: Equatable {
    package static func == (one: JSONObject, other: JSONObject) -> Bool {
        guard one.members.count == other.members.count else { return false }
        let (one, other) = (one.inCanonicalOrder, other.inCanonicalOrder)
        return zip(one, other).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}

extension JSONObject {
    /// The members sorted by the UTF-16 code units of their keys (RFC 8785 §3.2.3).
    var inCanonicalOrder: [Member] {
        let isSorted = isAscending || zip(members, members.dropFirst()).allSatisfy { !keyPrecedes($1.key, $0.key) }
        return isSorted ? members : members.sorted { keyPrecedes($0.key, $1.key) }
    }
}

func isSameKey(_ one: String, _ other: String) -> Bool {
    // Most keys that are compared differ, and most of those in length.
    guard one.utf8.count == other.utf8.count else { return false }
    return one.utf8.withContiguousStorageIfAvailable { one in
        other.utf8.withContiguousStorageIfAvailable { isSame(one, $0) }
    }.flatMap { $0 } ?? one.utf8.elementsEqual(other.utf8)
}

private func isSame(_ one: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let left = one.baseAddress, let right = other.baseAddress else { return one.isEmpty && other.isEmpty }
    return one.count == other.count && memcmp(left, right, one.count) == 0
}

/// Whether `one` sorts before `other` by UTF-16 code units.
///
/// UTF-8 sorts as code points do, and so do UTF-16 units but for one thing: the surrogates of what needs four bytes
/// (first byte F0 and up) come before U+E000…U+FFFF (first bytes EE and EF).
func keyPrecedes(_ one: String, _ other: String) -> Bool {
    var (ones, others) = (one.utf8.makeIterator(), other.utf8.makeIterator())
    while true {
        guard let right = others.next() else { return false }
        guard let left = ones.next() else { return true }
        guard left != right else { continue }
        if left >= 0xEE, right >= 0xEE, (left >= 0xF0) != (right >= 0xF0) { return left >= 0xF0 }
        return left < right
    }
}
