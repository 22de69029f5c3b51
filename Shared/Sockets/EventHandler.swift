import CLinux

/// Is told when a watched descriptor is ready. Called on the loop's thread: an actor pinned to the loop answers with
/// `assumeIsolated`, without a hop.
package protocol EventHandler: AnyObject, Sendable {
    func ready(_ events: ReadyEvents)
}

/// What a descriptor is ready for.
package struct ReadyEvents: Sendable {
    let mask: UInt32

    /// Bytes, an end of stream, or an error that a read will report.
    package var isReadable: Bool { mask & UInt32(CLINUX_IN | CLINUX_HUP | CLINUX_ERR | CLINUX_RDHUP) != 0 }
    package var isWritable: Bool { mask & UInt32(CLINUX_OUT | CLINUX_HUP | CLINUX_ERR) != 0 }
    /// Both directions are gone.
    package var isHungUp: Bool { mask & UInt32(CLINUX_HUP | CLINUX_ERR) != 0 }
}

/// What to be told about.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let read = Interest(rawValue: 1)
    package static let write = Interest(rawValue: 2)

    var mask: UInt32 {
        (contains(.read) ? UInt32(CLINUX_IN) : 0) | (contains(.write) ? UInt32(CLINUX_OUT) : 0)
    }
}

/// A watched descriptor; the generation keeps it apart from a later one with the same number.
package struct Registration: Sendable {
    package let fd: Int32
    let generation: UInt32

    var tag: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: fd)) }
}
