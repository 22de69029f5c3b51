package import Platform

extension EmbeddedRunnerPolicy {
    /// Reads `auto`, `on` or `off`; `auto` by default.
    package init(reading reader: inout SettingsReader) {
        let name = reader.oneOf(
            "ARAGORA_EMBEDDED_RUNNER", Self.allCases.map(\.rawValue), default: Self.auto.rawValue,
            help: "Whether the API runs debates itself; `auto`: while no worker lives, or a debate has waited 10 s.")
        self = Self(rawValue: name) ?? .auto
    }
}
