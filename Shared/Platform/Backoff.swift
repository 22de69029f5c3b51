/// Waits between tries: doubling from `first` to `cap`, each drawn at random from the upper half (full waits synchronise).
package struct Backoff: Sendable {
    private let first: Duration
    private let cap: Duration
    private var step = 0

    package init(first: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        self.first = first
        self.cap = cap
    }

    /// The next wait; call ``reset()`` after a success.
    package mutating func next() -> Duration {
        let doubled = first * Double(1 << min(step, 20))
        step += 1
        return min(doubled, cap) * Double.random(in: 0.5...1)
    }

    package mutating func reset() { step = 0 }
}
