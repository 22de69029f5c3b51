import FaultSupport
import Glibc

/// How many stacks may run at once: each is four or five processes.
actor StackSlots {
    static let shared = StackSlots(limit: environmentNumber("FAULT_CONCURRENCY", default: 4))

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(limit: Int) { free = limit }

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// A positive number of the test run's environment.
func environmentNumber(_ name: String, default standard: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) }.map { max(1, $0) } ?? standard
}
