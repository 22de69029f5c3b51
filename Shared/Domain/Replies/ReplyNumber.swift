/// A share from 0 to 1 as models write it: `0.8`, `80%`, `8/10`, `0,8`, `85`.
enum ReplyNumber {
    /// - Parameter scale: what a bare number above 1 is out of.
    /// - Returns: nil when the text does not begin with a number, or it lies outside its scale.
    static func share(_ text: String, scale: Double) -> Ratio? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == ",") }
        guard digits.count <= 8, let value = Double(digits.map { $0 == "," ? "." : String($0) }.joined()) else {
            return nil
        }
        let rest = text[digits.endIndex...].drop { $0.isWhitespace }
        let whole: Double
        if rest.first == "%" {
            whole = 100
        } else if rest.first == "/" {
            let divisor = rest.dropFirst().drop { $0.isWhitespace }.prefix { $0.isASCII && $0.isNumber }
            guard let number = Double(divisor), number > 0 else { return nil }
            whole = number
        } else {
            whole = value > 1 ? scale : 1
        }
        return (0...1).contains(value / whole) ? Ratio(value / whole) : nil
    }
}
