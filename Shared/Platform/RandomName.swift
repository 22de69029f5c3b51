import Glibc

/// Random numbers to name things by: not for secrets.
///
/// Taken from the kernel many at a time, because one costs as much as a hundred.
package enum RandomName {
    private static let reserve = Lock(Reserve())

    private struct Reserve {
        private var numbers: [UInt64] = []

        mutating func take() -> UInt64 {
            if let number = numbers.popLast() { return number }
            numbers = (0..<Self.count).map { _ in 0 }
            let failed = numbers.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
            // Up to 256 bytes it gives whole or not at all (getentropy(3)); the library draws one by one.
            if failed != 0 { numbers = numbers.map { _ in UInt64.random(in: .min ... .max) } }
            return numbers.removeLast()
        }

        private static let count = 32
    }

    /// Two numbers, drawn at once.
    static func two() -> (UInt64, UInt64) { reserve.withLock { ($0.take(), $0.take()) } }

    /// Three of them.
    static func three() -> (UInt64, UInt64, UInt64) { reserve.withLock { ($0.take(), $0.take(), $0.take()) } }

    /// `prefix` and 24 hex digits.
    package static func make(_ prefix: StaticString) -> String {
        let (high, low) = two()
        return HexDigits.text(prefix, high, digits: 8, low)
    }
}
