import CLinux
import Dispatch
import Glibc

/// Starts plain threads: for event loops and the signal reader, which block in the kernel on purpose.
package enum OSThread {
    private final class Body {
        let run: @Sendable () -> Void
        let name: String
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Runs `body` on a new detached thread with `name` (15 characters are visible in /proc).
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 2 << 20)
        let box = Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
        let result = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                clinux_name_thread(String(body.name.prefix(15)))
                body.run()
                return nil
            }, box)
        precondition(result == 0, "the system refused a thread")
        pthread_attr_destroy(&attributes)
    }
}
