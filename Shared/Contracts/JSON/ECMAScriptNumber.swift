/// Numbers as ECMAScript's `Number::toString` prints them: the shortest digits that read back as the same number.
enum ECMAScriptNumber {
    /// The text of a finite number that is not a whole number below 2^53.
    ///
    /// Swift finds the same digits, the nearest of the shortest, but sets point and exponent by other rules.
    static func digits(of value: Double) -> [UInt8] {
        var (digits, point) = significant(Array(value.magnitude.description.utf8))
        let sign: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
        let zero = UInt8(ascii: "0"), dot = UInt8(ascii: ".")
        switch point {
        case digits.count...21:
            return sign + digits + [UInt8](repeating: zero, count: point - digits.count)
        case 1...21:
            digits.insert(dot, at: point)
            return sign + digits
        case -5...0:
            return sign + [zero, dot] + [UInt8](repeating: zero, count: -point) + digits
        default:
            if digits.count > 1 { digits.insert(dot, at: 1) }
            let exponent = point - 1
            return sign + digits + Array("e\(exponent < 0 ? "-" : "+")\(exponent.magnitude)".utf8)
        }
    }

    /// The digits without leading and trailing zeros, and where the point stands: value = 0.digits × 10^point.
    private static func significant(_ text: [UInt8]) -> (digits: [UInt8], point: Int) {
        let mantissa = text.prefix { $0 != UInt8(ascii: "e") }
        let exponent = Int(String(decoding: text.dropFirst(mantissa.count + 1), as: UTF8.self)) ?? 0
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        let digits = whole + mantissa.dropFirst(whole.count + 1)
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        let trailing = digits.reversed().prefix { $0 == UInt8(ascii: "0") }.count
        guard leading < digits.count else { return ([UInt8(ascii: "0")], 1) }
        return (Array(digits.dropFirst(leading).dropLast(trailing)), whole.count + exponent - leading)
    }
}
