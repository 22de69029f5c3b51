/// Settings of which some may change while the process runs: secrets that a file gives (`<NAME>_FILE`).
package protocol ReloadableSettings: Sendable {
    /// Takes over what may change from settings that were read anew and have no problem.
    ///
    /// - Returns: what waits for a restart: `NAME: why`, one sentence each, without the value of a secret.
    func adopt(_ fresh: Self) -> [String]

    /// Where the process says that it is there; nil for nowhere.
    var heartbeat: HeartbeatSettings? { get }
}

extension ReloadableSettings {
    package var heartbeat: HeartbeatSettings? { nil }
}
