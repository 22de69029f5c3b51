import Glibc

/// Why a socket operation failed.
package struct SocketError: Error, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Everything the kernel reports; `errno` is in ``SocketError/errnoValue``.
        case system
        /// The name could not be resolved, or the address has a wrong form.
        case address
        /// The peer closed, or we did.
        case closed
        case timedOut
        case tls
        /// A named limit was reached.
        case limit
    }

    package let code: Code
    package let message: String
    package let errnoValue: Int32

    package init(_ code: Code, _ message: String, errno: Int32 = 0) {
        self.code = code
        self.message = message
        errnoValue = errno
    }

    /// Captures `errno`; call right after the failed call.
    static func system(_ call: String, _ number: Int32 = errno) -> SocketError {
        let text = unsafe String(cString: strerror(number))
        return SocketError(.system, "\(call): \(text)", errno: number)
    }

    package var description: String { message }
}
