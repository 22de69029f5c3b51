import Sockets

/// Who waits for a connection, in order of arrival.
struct PoolQueue {
    enum Work {
        case statement(PGOperation)
        case lease(LeaseRequest)

        var isFinished: Bool {
            switch self {
            case .statement(let operation): operation.isFinished
            case .lease(let request): request.isFinished
            }
        }

        func fail(_ error: PGError) {
            switch self {
            case .statement(let operation): operation.finish(.failure(error))
            case .lease(let request): request.fail(error)
            }
        }
    }

    struct Waiter {
        let number: Int
        let work: Work
        let timer: LoopTimer

        func fail(_ error: PGError, on loop: EventLoop) {
            loop.cancel(timer)
            work.fail(error)
        }
    }

    private var waiters: [Waiter] = []
    private(set) var nextNumber = 0

    var isEmpty: Bool { waiters.isEmpty }
    var count: Int { waiters.count }
    /// How many wait to lease, counted up to `limit`.
    func leases(upTo limit: Int) -> Int {
        waiters.lazy.filter { if case .lease(let request) = $0.work { !request.isFinished } else { false } }
            .prefix(limit).count { _ in true }
    }

    /// Those whose callers were cancelled give up their place first.
    var hasRoom: Bool {
        mutating get {
            if waiters.count >= PGConfiguration.maxWaiting { waiters.removeAll(where: \.work.isFinished) }
            return waiters.count < PGConfiguration.maxWaiting
        }
    }

    /// The first whose caller still waits.
    var first: Work? {
        mutating get {
            while let waiter = waiters.first, waiter.work.isFinished { waiters.removeFirst() }
            return waiters.first?.work
        }
    }

    mutating func append(_ work: Work, timer: LoopTimer) {
        waiters.append(Waiter(number: nextNumber, work: work, timer: timer))
        nextNumber += 1
    }

    mutating func removeFirst(on loop: EventLoop) { loop.cancel(waiters.removeFirst().timer) }

    mutating func remove(_ number: Int) -> Waiter? {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return nil }
        return waiters.remove(at: index)
    }

    mutating func removeAll() -> [Waiter] {
        defer { waiters = [] }
        return waiters
    }
}

/// Somebody who waits to lease a connection. Touched on the loop's thread only.
final class LeaseRequest: @unchecked Sendable {
    var continuation: CheckedContinuation<Result<PoolMember, PGError>, Never>?
    private(set) var isFinished = false

    func succeed(_ member: PoolMember) { finish(.success(member)) }
    func fail(_ error: PGError) { finish(.failure(error)) }

    private func finish(_ result: Result<PoolMember, PGError>) {
        guard !isFinished else { return }
        isFinished = true
        continuation?.resume(returning: result)
        continuation = nil
    }
}
