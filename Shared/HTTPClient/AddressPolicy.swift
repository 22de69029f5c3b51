import Sockets

/// Which IP addresses an outgoing request may connect to: those of the public internet, and what an operator adds.
///
/// For addresses that users give: a name, a redirect or a resolver must not lead into our own network. It is asked for the
/// address that is really connected to, when the socket is made.
package struct AddressPolicy: Sendable, Hashable {
    /// Ranges that are permitted although they are not public.
    package let allowed: [AddressRange]

    package init(allowed: [AddressRange] = []) { self.allowed = allowed }

    /// - Parameter address: 4 or 16 bytes in network order; anything else is refused.
    package func permits(_ address: [UInt8]) -> Bool {
        let address = Self.unmapped(address)
        return Self.isPublic(address) || allowed.contains { $0.contains(address) }
    }

    /// `::ffff:a.b.c.d` is the IPv4 address it carries.
    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        address.count == 16 && mapped.contains(address) ? Array(address.suffix(4)) : address
    }

    private static func isPublic(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: !notPublicV4.contains { $0.contains(address) }
        // What a NAT64 gateway translates is as public as the IPv4 address in it (RFC 6052).
        case 16 where translated.contains(address): isPublic(Array(address.suffix(4)))
        case 16: globalV6.contains(address) && !notPublicV6.contains { $0.contains(address) }
        default: false
        }
    }

    private static let mapped = range("::ffff:0:0/96")
    private static let translated = range("64:ff9b::/96")
    /// All that is handed out so far (RFC 4291 §2.4); the rest is private, local, multicast or nobody's.
    private static let globalV6 = range("2000::/3")
    /// Within it: protocol assignments with Teredo and ORCHID, documentation, and 6to4, which carries any IPv4 address.
    private static let notPublicV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(range)
    /// IANA's special-purpose registry (RFC 6890), and multicast.
    private static let notPublicV4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ].map(range)

    private static func range(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is written here and a range") }
        return range
    }
}

/// Addresses with the same first bits, `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable {
    private let prefix: [UInt8]
    private let bits: Int

    /// - Returns: nil unless it is an IP address, alone or with `/` and a number of bits.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let prefix = IPAddressText.bytes(String(parts[0])) else { return nil }
        var bits = prefix.count * 8
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...bits).contains(number), parts[1].allSatisfy(\.isNumber) else {
                return nil
            }
            bits = number
        }
        self.prefix = prefix
        self.bits = bits
    }

    package func contains(_ address: [UInt8]) -> Bool {
        guard address.count == prefix.count else { return false }
        let whole = bits / 8
        guard address.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
        let rest = bits % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return address[whole] & mask == prefix[whole] & mask
    }
}
