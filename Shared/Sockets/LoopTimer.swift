import Glibc

/// A timer that can be cancelled: ``EventLoop/cancel(_:)``.
package struct LoopTimer: Sendable {
    let id: UInt64
}

/// CLOCK_MONOTONIC in nanoseconds.
package enum MonotonicTime {
    package static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A binary heap of deadlines. Cancelled entries stay until they come up, or until they are the majority.
struct TimerHeap {
    private var heap: [(deadline: Int64, id: UInt64)] = []
    private var callbacks: [UInt64: @Sendable () -> Void] = [:]
    private var nextID: UInt64 = 0

    var nextDeadline: Int64? { heap.first?.deadline }

    mutating func insert(deadline: Int64, _ callback: @escaping @Sendable () -> Void) -> LoopTimer {
        nextID += 1
        callbacks[nextID] = callback
        heap.append((deadline, nextID))
        siftUp(heap.count - 1)
        return LoopTimer(id: nextID)
    }

    mutating func cancel(_ timer: LoopTimer) {
        guard callbacks.removeValue(forKey: timer.id) != nil else { return }
        guard heap.count > 1024, callbacks.count < heap.count / 2 else { return }
        heap.removeAll { callbacks[$0.id] == nil }
        heap.sort { $0.deadline < $1.deadline }  // a sorted array is a valid heap
    }

    /// The next callback that is due; nil when none is. The caller runs it, so that it may insert and cancel.
    mutating func popDue(now: Int64) -> (@Sendable () -> Void)? {
        while let first = heap.first, first.deadline <= now {
            removeFirst()
            if let callback = callbacks.removeValue(forKey: first.id) { return callback }
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }
}
