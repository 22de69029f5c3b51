import Compression

/// permessage-deflate as agreed for one WebSocket (RFC 7692 §7): every message is compressed on its own.
///
/// Without context takeover a compressed message is the same bytes for every viewer, made once, and an idle connection
/// holds no window.
package struct MessageCompression: Equatable, Sendable {
    /// Messages below this stay as they are: a deflate block's head alone eats what they would save.
    static let leastBytes = 256
    static let name = "permessage-deflate"

    /// How far back our matches may lie, in bits.
    let serverWindowBits: Int
    /// Whether the client asked for that window, and must be told.
    private let namesWindow: Bool

    /// The value of the answer's `Sec-WebSocket-Extensions`.
    var answer: String {
        "\(Self.name); server_no_context_takeover; client_no_context_takeover"
            + (namesWindow ? "; server_max_window_bits=\(serverWindowBits)" : "")
    }

    /// The first offer that can be met, of the values of `Sec-WebSocket-Extensions`; nil for none.
    static func agree(_ values: [String]) -> MessageCompression? {
        for value in values {
            for offer in value.split(separator: ",") {
                if let agreed = MessageCompression(offer: offer) { return agreed }
            }
        }
        return nil
    }

    /// RFC 7692 §7.1: an offer with a parameter that is unknown, doubled or out of range is declined.
    private init?(offer: Substring) {
        let parts = offer.split(separator: ";", omittingEmptySubsequences: false).map { HeaderText.trimmed($0) }
        guard parts.first?.lowercased() == Self.name else { return nil }
        var values: [String: String?] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = HeaderText.trimmed(pair[0]).lowercased()
            let value = pair.count == 2 ? Self.unquoted(HeaderText.trimmed(pair[1])) : nil
            guard values.updateValue(value, forKey: name) == nil else { return nil }
        }
        var window = MessageDeflater.windowBits.upperBound
        for (name, value) in values {
            switch (name, value) {
            case ("server_no_context_takeover", nil), ("client_no_context_takeover", nil),
                ("client_max_window_bits", nil):
                break
            case ("client_max_window_bits", let text?):
                guard Self.bits(text) != nil else { return nil }
            case ("server_max_window_bits", let text?):
                guard let bits = Self.bits(text), MessageDeflater.windowBits.contains(bits) else { return nil }
                window = bits
            default: return nil
            }
        }
        serverWindowBits = window
        namesWindow = values.keys.contains("server_max_window_bits")
    }

    /// 8–15 in decimal without leading zeros (§7.1.2).
    private static func bits(_ text: String) -> Int? {
        guard let bits = Int(text), (8...15).contains(bits), text == "\(bits)" else { return nil }
        return bits
    }

    private static func unquoted(_ text: String) -> String {
        text.count >= 2 && text.first == "\"" && text.last == "\"" ? String(text.dropFirst().dropLast()) : text
    }
}
