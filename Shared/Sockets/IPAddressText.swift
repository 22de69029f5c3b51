import Glibc

/// Numeric IP addresses as bytes.
package enum IPAddressText {
    /// 4 bytes of an IPv4 or 16 of an IPv6 address in network order; nil for anything else.
    package static func bytes(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 { return unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) } }
        var v6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
    }
}
