import CLinux
import Glibc

/// Delivers process signals to a callback on a thread of its own.
///
/// `sigaction` with a handler that writes one byte to a pipe: the only form that loses no signal beside Dispatch and
/// Swift concurrency on Linux (measured; signal sources and `sigwait` do).
package enum ProcessSignals {
    /// Installs the handler for `signals`; call once, before settings are read. SIGPIPE is ignored from here on.
    package static func forward(_ signals: [Int32], to callback: @escaping @Sendable (Int32) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        guard clinux_pipe(&ends) == 0 else { return }
        signalPipeWriteEnd = ends[1]
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(signalPipeWriteEnd, &byte, 1)
            }
            sigaction(number, &action, nil)
        }
        let readEnd = ends[0]
        OSThread.start(name: "signals") {
            var byte: UInt8 = 0
            while true {
                let count = read(readEnd, &byte, 1)
                if count == 1 { callback(Int32(byte)) } else if count < 0 && errno == EINTR { continue } else { return }
            }
        }
    }
}

/// Written once before any handler is installed; a signal handler may read nothing else.
private nonisolated(unsafe) var signalPipeWriteEnd: Int32 = -1
