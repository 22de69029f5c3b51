import Glibc
import Platform

/// Ports on the loopback interface, each given out once per run.
///
/// Below the range that the kernel gives to outgoing connections: a service that is killed and started again must find
/// its port free, whatever other processes connect to in between.
package enum StackPorts {
    private static let range: ClosedRange<UInt16> = 20_000...31_999
    private static let given = Lock(Set<UInt16>())

    package static func take() -> UInt16 {
        while true {
            let port = UInt16.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }), isFree(port) else { continue }
            return port
        }
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
