import Glibc
import Platform

/// An IPv4, IPv6 or Unix-domain address in the kernel's form.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    /// A numeric IPv4 or IPv6 address; nil when `ip` is a name or malformed.
    package init?(ip: String, port: UInt16) {
        var v4 = sockaddr_in()
        if unsafe inet_pton(AF_INET, ip, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            bytes = unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) }
            return
        }
        var v6 = sockaddr_in6()
        guard unsafe inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1 else { return nil }
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        bytes = unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
    }

    /// A Unix-domain socket; nil when the path is longer than the kernel takes (107 bytes).
    package init?(unixPath path: String) {
        var address = sockaddr_un()
        let utf8 = Array(path.utf8)
        guard !utf8.isEmpty, utf8.count < 108 else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: utf8) }
        bytes = unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    var family: Int32 { bytes.count >= 2 ? Int32(UInt16(bytes[0]) | UInt16(bytes[1]) << 8) : 0 }

    /// The port; 0 for a Unix-domain address.
    package var port: UInt16 {
        guard family == AF_INET || family == AF_INET6, bytes.count >= 4 else { return 0 }
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// The address without its port, "127.0.0.1"; "unix" for a Unix-domain address.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let offset = family == AF_INET ? 4 : 8
        guard family == AF_INET || family == AF_INET6, bytes.count > offset else { return "unix" }
        let done = unsafe bytes.withUnsafeBytes { raw in
            unsafe inet_ntop(family, raw.baseAddress?.advanced(by: offset), &text, socklen_t(text.count)) != nil
        }
        guard done else { return "unknown" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var description: String { family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self) { unsafe body($0.baseAddress!, socklen_t(bytes.count)) }
        }
    }
}

/// Names to addresses. `getaddrinfo` blocks, so it runs on a thread of its own.
package enum Resolver {
    private static let executor = BlockingExecutor(label: "dns", threads: 2)

    /// - Throws: ``SocketError`` `.address` when the name is unknown.
    package static func resolve(host: String, port: UInt16) async throws -> [SocketAddress] {
        if let address = SocketAddress(ip: host, port: port) { return [address] }
        return try await executor.run { try lookUp(host, port) }
    }

    private static func lookUp(_ host: String, _ port: UInt16) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw SocketError(.address, "\(host): \(unsafe String(cString: gai_strerror(status)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            let length = unsafe Int(current.pointee.ai_addrlen)
            let raw = unsafe UnsafeRawBufferPointer(start: current.pointee.ai_addr, count: length)
            unsafe found.append(SocketAddress(bytes: Array(raw)))
            unsafe entry = current.pointee.ai_next
        }
        return found
    }
}
