import Platform

/// Why a connection ended, as metrics tell it.
enum CloseReason: String, Sendable {
    /// The client closed it, with whatever code.
    case client
    /// It was simply gone.
    case lost
    /// It answered no ping.
    case unresponsive
    /// It broke a rule of WebSocket, or said too much at once.
    case `protocol`
    /// It took too little of what was sent.
    case slow
    case shutdown, expired, origin, rate
    /// We could not go on: a store did not say what we had to know.
    case error
}

/// What a hub tells metrics: counted on its loop, where it costs nothing, and handed over twice a second.
extension Hub {
    struct Tally {
        var framesSent = 0
        var tokensShed = 0
        // Gauges as they were told last: several hubs add up to one process.
        var queued = 0
        var slow = 0
        var unread = 0
    }

    /// Hands over what was counted, and looks at what waits: for clients in this process, and for this process in the kernel.
    func report() async {
        if tally.framesSent > 0 { metrics.add(.websocketFramesSent, by: Double(tally.framesSent)) }
        if tally.tokensShed > 0 { metrics.add(.websocketTokensShed, by: Double(tally.tokensShed)) }
        (tally.framesSent, tally.tokensShed) = (0, 0)
        arrays.forget()
        var (queued, slow) = (0, 0)
        for client in clients.values {
            queued += client.pendingBytes
            if client.isBehind { slow += 1 }
        }
        metrics.add(.websocketQueuedBytes, by: Self.change(&tally.queued, to: queued))
        metrics.add(.websocketSlow, by: Self.change(&tally.slow, to: slow))
        let unread = await live.unreadBytes
        metrics.add(.gatewayUnread, by: Self.change(&tally.unread, to: unread))
    }

    private static func change(_ last: inout Int, to value: Int) -> Double {
        defer { last = value }
        return Double(value - last)
    }
}
