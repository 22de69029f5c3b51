import Glibc

/// A short critical section around a value, for state shared between threads.
///
/// A pthread mutex rather than `Synchronization.Mutex`, which ThreadSanitizer reports falsely on Linux. Never hold it
/// across a callback, a log line or an `await`: compute under the lock, act after it.
package final class Lock<State>: @unchecked Sendable {  // the mutex protects `state`; nothing else touches it
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init(_ initial: sending State) {
        state = initial
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the state and returns what it returns.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
