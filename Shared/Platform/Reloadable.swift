/// A value that may be replaced while the process runs; whoever asks gets the newest.
///
/// For what a reload changes: hold the box, not what was in it.
package final class Reloadable<Value: Sendable>: Sendable {
    private let state: Lock<Value>

    package init(_ value: Value) { state = Lock(value) }

    package var current: Value { state.withLock { $0 } }

    package func replace(with value: Value) { state.withLock { $0 = value } }
}
