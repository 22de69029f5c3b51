package import Platform

extension EmbeddedRunnerPolicy {
    /// Reads `auto`, `on` or `off`; `auto` by default.
    package init(reading reader: inout SettingsReader) {
        let name = reader.oneOf("ARAGORA_EMBEDDED_RUNNER", Self.allCases.map(\.rawValue), default: Self.auto.rawValue)
        self = Self(rawValue: name) ?? .auto
    }
}
