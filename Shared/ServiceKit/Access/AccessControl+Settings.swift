package import Platform

extension AccessControl {
    /// Reads `ARAGORA_API_TOKEN`. In production an empty one is a problem, not an open door.
    package init(reading reader: inout SettingsReader, common: CommonSettings) {
        let token = reader.secret(
            "ARAGORA_API_TOKEN",
            help:
                "The service token; also signs tokens of the form `{loop_id}:{expires}:{hmac}`. Required in production; "
                + "elsewhere every request is allowed without it.")
        let previousToken = reader.secret(
            "ARAGORA_API_TOKEN_PREVIOUS", help: "The token before the last rotation; still accepted.")
        if token == nil && common.environment == .production {
            reader.refuse(
                SettingFault(
                    .tokenMissing, "ARAGORA_API_TOKEN",
                    "required in production; without it every request would be allowed"))
        }
        reader.requireStrength(of: token, "ARAGORA_API_TOKEN", otherwise: .tokenShort)
        reader.requireStrength(of: previousToken, "ARAGORA_API_TOKEN_PREVIOUS", otherwise: .tokenShort)
        let needsSecondFactor = reader.bool(
            "ARAGORA_ADMIN_MFA_REQUIRED", default: false,
            help: "Whether administrators without a second factor may do nothing but turn one on.")
        self.init(
            token: token, previousToken: previousToken, sessions: common.sessions,
            administratorsNeedSecondFactor: needsSecondFactor)
    }
}
