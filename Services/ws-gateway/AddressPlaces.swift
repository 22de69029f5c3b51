import Messaging
import Platform

/// How many sockets each address has open, and how often it may open one: nobody takes all places of a gateway.
final class AddressPlaces: Sendable {
    private let maxOpen: Int
    private let rate: RateLimit?
    private let open = Lock([String: Int]())
    private let recent = LocalRateTable()

    /// - Parameters:
    ///   - maxOpen: sockets of one address; 0 for any number.
    ///   - perMinute: handshakes of one address; 0 for any number.
    init(maxOpen: Int, perMinute: Int) {
        self.maxOpen = maxOpen
        rate = perMinute > 0 ? RateLimit(limit: perMinute) : nil
    }

    /// Counts a handshake; what it says is how long to wait when there were too many.
    func admit(_ address: String) -> Duration? {
        guard let rate else { return nil }
        let decision = recent.admit(address, limit: rate)
        return decision.isAllowed ? nil : decision.retryAfter
    }

    /// Takes a place; false when the address has all it may have. Each place taken is given back by ``leave(_:)``.
    func enter(_ address: String) -> Bool {
        open.withLock { open in
            let count = open[address, default: 0]
            guard maxOpen == 0 || count < maxOpen else { return false }
            open[address] = count + 1
            return true
        }
    }

    func leave(_ address: String) {
        open.withLock { open in
            let count = open[address, default: 0] - 1
            open[address] = count > 0 ? count : nil
        }
    }
}
