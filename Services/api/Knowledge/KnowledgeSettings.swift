import Platform

/// Whether debates are shown what earlier ones concluded.
struct KnowledgeSettings: Sendable {
    let isOn: Bool
    /// Older conclusions are shown to nobody.
    let maxAgeDays: Int

    init(reading reader: inout SettingsReader) {
        isOn = reader.bool(
            "ARAGORA_KNOWLEDGE", default: true,
            help:
                "Whether the panel of a new debate is shown up to three earlier conclusions on similar questions, and whether conclusions are kept. A debate may say `\"knowledge\": false` for itself."
        )
        maxAgeDays = reader.int(
            "ARAGORA_KNOWLEDGE_MAX_AGE_DAYS", default: 365, in: 1...36_500,
            help: "Conclusions older than this are shown to no panel.")
    }
}
