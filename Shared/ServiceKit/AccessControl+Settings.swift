package import Platform

extension AccessControl {
    /// Reads `ARAGORA_API_TOKEN`. In production an empty one is a problem, not an open door.
    package init(reading reader: inout SettingsReader, environment: CommonSettings.Environment) {
        let token = reader.secret("ARAGORA_API_TOKEN")
        let previousToken = reader.secret("ARAGORA_API_TOKEN_PREVIOUS")
        if token == nil && environment == .production {
            reader.report("ARAGORA_API_TOKEN: required in production; without it every request would be allowed")
        }
        self.init(token: token, previousToken: previousToken)
    }
}
