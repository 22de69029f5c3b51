package import Platform

/// Origins besides our own from which pages may connect.
package enum AllowedOrigins {
    /// Reads `ARAGORA_ALLOWED_ORIGINS`; `*` for any, which production refuses.
    package static func read(_ reader: inout SettingsReader) -> Set<String> {
        let text = reader.string(
            "ARAGORA_ALLOWED_ORIGINS", default: "",
            help:
                "Origins from which pages of other sites may connect, separated by commas; `*` for any, not in production. Our own always may."
        )
        let origins = Set(text.split(separator: ",").map { String($0.filter { $0 != " " }) })
        if origins.contains("*") {
            reader.refuse(SettingFault(.originsOpen, "ARAGORA_ALLOWED_ORIGINS", "contains *"))
        }
        return origins
    }
}
