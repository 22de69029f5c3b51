/// An optional that lies outside the value it belongs to: eight bytes there, whatever its size.
///
/// For what is large and seldom there. The machine's state is passed on with every event, and what is passed on is copied.
@propertyWrapper
struct Boxed<Value: Sendable>: Sendable {
    private indirect enum Box: Sendable {
        case empty
        case full(Value)
    }

    private var box: Box

    init(wrappedValue: Value?) { box = wrappedValue.map { .full($0) } ?? .empty }

    var wrappedValue: Value? {
        get { if case .full(let value) = box { value } else { nil } }
        set { box = newValue.map { .full($0) } ?? .empty }
    }

    /// Whether there is a value; does not touch it.
    var projectedValue: Bool { if case .full = box { true } else { false } }
}

extension Boxed: Equatable where Value: Equatable {
    static func == (left: Boxed, right: Boxed) -> Bool { left.wrappedValue == right.wrappedValue }
}

extension Boxed: Hashable where Value: Hashable {
    func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}
