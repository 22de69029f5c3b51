package import HTTP
import Sockets

/// Whose `X-Forwarded-For` is believed: who talks to us directly from one of these networks.
package struct TrustedProxies: Sendable {
    private let networks: [Network]

    /// Nobody: the peer is the client.
    package static let none = TrustedProxies(networks: [])

    private init(networks: [Network]) { self.networks = networks }

    /// - Parameter text: networks in CIDR form, comma-separated. Nil when one is malformed.
    package init?(_ text: String) {
        var networks: [Network] = []
        for item in text.split(separator: ",") {
            guard let network = Network(item.filter { $0 != " " }) else { return nil }
            networks.append(network)
        }
        self.networks = networks
    }

    /// Whether everybody may say who they are: `0.0.0.0/0` or `::/0`.
    package var trustsEveryone: Bool { networks.contains { $0.bits == 0 } }

    /// The client's address: the last hop in `X-Forwarded-For` that is not one of our proxies, or the first when all
    /// are. The peer itself when nothing was forwarded, or what was is not a list of addresses.
    package func client(of request: Request, peer: String) -> String {
        guard contains(peer) else { return peer }
        // A proxy may add a line of its own below the client's: all lines are one list (RFC 9110 §5.3).
        let hops = request.head.values("x-forwarded-for").flatMap { $0.split(separator: ",") }
        var client = peer
        for hop in hops.reversed() {
            let address = String(hop.filter { $0 != " " && $0 != "\t" })
            guard Network.bytes(address) != nil else { return client }
            client = address
            if !contains(address) { return client }
        }
        return client
    }

    private func contains(_ address: String) -> Bool {
        guard let bytes = Network.bytes(address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }
}

/// An IPv4 or IPv6 network.
private struct Network: Sendable {
    let prefix: [UInt8]
    let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let bytes = Self.bytes(String(first)) else { return nil }
        let full = bytes.count * 8
        let bits = parts.count == 2 ? Int(parts[1]) ?? -1 : full
        guard (0...full).contains(bits) else { return nil }
        prefix = bytes
        self.bits = bits
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == prefix.count else { return false }
        for index in 0..<bits where (address[index / 8] ^ prefix[index / 8]) >> (7 - index % 8) & 1 == 1 {
            return false
        }
        return true
    }

    /// 4 or 16 bytes of a numeric address; an IPv4 address mapped into IPv6 is the IPv4 address.
    static func bytes(_ text: String) -> [UInt8]? {
        guard let bytes = IPAddressText.bytes(text) else { return nil }
        let isMapped =
            bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes[12...]) : bytes
    }
}
