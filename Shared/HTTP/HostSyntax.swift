/// The syntax of a Host field (RFC 9110 §7.2, RFC 3986 §3.2.2): a name or an address, and perhaps a port.
enum HostSyntax {
    static func isValid(_ input: Span<UInt8>, _ first: Int, _ last: Int) -> Bool {
        guard first < last else { return false }
        var index = first
        if input[index] == UInt8(ascii: "[") {
            guard let after = endOfAddress(input, index + 1, last) else { return false }
            index = after
        } else {
            while index < last, input[index] != ByteClass.colon {
                guard let next = nameCharacter(input, index, last) else { return false }
                index = next
            }
            guard index > first else { return false }
        }
        return index == last || (input[index] == ByteClass.colon && isPort(input, index + 1, last))
    }

    /// Where the character after this one begins: an unreserved or sub-delim one, or an escape.
    private static func nameCharacter(_ input: Span<UInt8>, _ index: Int, _ last: Int) -> Int? {
        if ByteClass.isHostName(input[index]) { return index + 1 }
        guard input[index] == UInt8(ascii: "%"), index + 2 < last, ByteClass.hexValue(input[index + 1]) != nil,
            ByteClass.hexValue(input[index + 2]) != nil
        else { return nil }
        return index + 3
    }

    /// Past the `]` of an IPv6 literal: hexadecimal digits, colons and dots.
    private static func endOfAddress(_ input: Span<UInt8>, _ begin: Int, _ last: Int) -> Int? {
        var index = begin
        while index < last, input[index] != UInt8(ascii: "]") {
            let byte = input[index]
            let isFine = ByteClass.hexValue(byte) != nil || byte == ByteClass.colon || byte == UInt8(ascii: ".")
            guard isFine, index - begin < 45 else { return nil }
            index += 1
        }
        return index > begin + 1 && index < last ? index + 1 : nil
    }

    /// Empty (RFC 3986 §3.2.3) or at most 65 535.
    private static func isPort(_ input: Span<UInt8>, _ first: Int, _ last: Int) -> Bool {
        guard last - first <= 5 else { return false }
        var port = 0
        for index in first..<last {
            guard ByteClass.isDigit(input[index]) else { return false }
            port = port * 10 + Int(input[index] - 48)
        }
        return port <= 65_535
    }
}
