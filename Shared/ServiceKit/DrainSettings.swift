package import Platform

/// What the executables that balancers know read about their end.
package enum DrainSettings {
    /// The delay of ``StopRequests``.
    package static func delay(_ reader: inout SettingsReader) -> Duration {
        reader.seconds(
            "ARAGORA_DRAIN_DELAY_SECONDS", default: 0, in: 0...120,
            help: "How long the API and the gateway go on serving after they were asked to stop, being no longer ready."
        )
    }
}
