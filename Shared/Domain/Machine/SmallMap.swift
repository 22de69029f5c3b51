/// A dictionary of at most a panel's size: one array, in the order of the keys.
///
/// For so few keys comparing them is several times as fast as hashing one, and the machine looks up names after every event.
/// The order of the keys makes maps of equal content equal, in whatever order it came.
package struct SmallMap<Key: Comparable & Hashable & Sendable, Value: Sendable>: Sendable {
    fileprivate struct Entry: Sendable {
        let key: Key
        var value: Value
    }

    fileprivate var entries: [Entry] = []

    package init() {}

    package init(_ pairs: some Sequence<(Key, Value)>) {
        for (key, value) in pairs { self[key] = value }
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    package var keys: [Key] { entries.map(\.key) }
    package var values: [Value] { entries.map(\.value) }
    package var pairs: [(Key, Value)] { entries.map { ($0.key, $0.value) } }

    package subscript(key: Key) -> Value? {
        get { place(of: key).map { entries[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?):
                entries.insert(Entry(key: key, value: value), at: entries.firstIndex { key < $0.key } ?? entries.count)
            case (nil, nil): break
            }
        }
    }

    package subscript(key: Key, default standard: @autoclosure () -> Value) -> Value {
        get { self[key] ?? standard() }
        set { self[key] = newValue }
    }

    package func contains(_ key: Key) -> Bool { place(of: key) != nil }

    /// All of both; where both have a value, the other's.
    package func overlaid(with other: SmallMap) -> SmallMap {
        guard !isEmpty else { return other }
        var all = self
        for entry in other.entries { all[entry.key] = entry.value }
        return all
    }

    private func place(of key: Key) -> Int? {
        // By place: a copy of each entry would be made and counted.
        for index in entries.indices where entries[index].key == key { return index }
        return nil
    }
}

extension SmallMap.Entry: Equatable where Value: Equatable {}
extension SmallMap.Entry: Hashable where Value: Hashable {}
extension SmallMap: Equatable where Value: Equatable {}
extension SmallMap: Hashable where Value: Hashable {}

extension SmallMap: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (Key, Value)...) { self.init(elements) }
}

/// What the machine keeps for each agent, by its name.
package typealias PanelMap<Value: Sendable> = SmallMap<String, Value>
