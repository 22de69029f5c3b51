package import Platform
package import Telemetry

/// What every executable reads from its environment.
package struct CommonSettings: Sendable {
    package enum Environment: String, Sendable { case production, development, test }

    package let environment: Environment
    /// Secrets of sessions and of what is stored.
    package let sessions: SessionSettings
    package let logLevel: LogLevel
    package let logFormat: Log.Format
    /// Where health and metrics are served besides the main port; 0 lets the kernel choose.
    package let metricsPort: UInt16
    /// Which address listeners bind.
    package let bindAddress: String
    package let eventLoops: Int
    /// How long stores may be missing at start before the process gives up with exit code 78.
    package let startupTimeout: Duration
    /// Where the process's number is kept while it runs; nil for nowhere.
    package let pidFile: String?
    /// Where traces and errors are sent.
    package let telemetry: TelemetrySettings

    /// - Parameter processors: online processors of this machine.
    package init(reading reader: inout SettingsReader, processors: Int) {
        let name = reader.oneOf(
            "ARAGORA_ENV", ["production", "development", "test"], default: "development",
            help:
                "`production` refuses to start with what would be unsafe there (docs/troubleshooting.md), and uses the "
                + "demonstration agents only where they are named.")
        environment = Environment(rawValue: name) ?? .development
        reader.isStrict = environment == .production
        sessions = SessionSettings(reading: &reader)
        let level = reader.oneOf(
            "ARAGORA_LOG_LEVEL", ["debug", "info", "warning", "warn", "error", "critical"], default: "info",
            help: "The least severe line that is written.")
        logLevel = LogLevel(name: level) ?? .info
        let format = reader.oneOf(
            "ARAGORA_LOG_FORMAT", ["json", "text"], default: "json", help: "One JSON object a line, or text for people."
        )
        logFormat = Log.Format(rawValue: format) ?? .json
        metricsPort = UInt16(
            reader.int(
                "ARAGORA_METRICS_PORT", default: 9090, in: 0...65_535,
                help: "Health and `/metrics`; 0 takes a free port, which the log names."))
        bindAddress = reader.string(
            "ARAGORA_BIND_ADDRESS", default: "0.0.0.0", help: "The numeric address on which every port listens.")
        eventLoops = reader.int(
            "ARAGORA_EVENT_LOOPS", default: min(4, max(1, processors)), in: 1...64,
            help: "Threads that serve; by default one per processor, up to four.")
        startupTimeout = reader.seconds(
            "ARAGORA_STARTUP_TIMEOUT", default: 60, in: 1...3600,
            help: "How long a store may be missing at start; then the process exits with code 78.")
        pidFile = reader.optionalString(
            "ARAGORA_PID_FILE",
            help: "File that holds the process's number while it runs; another live process with it is refused.")
        telemetry = TelemetrySettings(reading: &reader, environment: name)
    }
}
