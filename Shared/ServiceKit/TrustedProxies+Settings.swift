package import Platform

extension TrustedProxies {
    /// Reads `ARAGORA_TRUSTED_PROXIES`: private networks unless an operator says otherwise.
    package init(reading reader: inout SettingsReader) {
        let text = reader.string(
            "ARAGORA_TRUSTED_PROXIES", default: "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128",
            help: "Networks whose `X-Forwarded-For` is believed, separated by commas.")
        guard let proxies = TrustedProxies(text) else {
            reader.report("ARAGORA_TRUSTED_PROXIES: expected networks such as 10.0.0.0/8, separated by commas")
            self = .none
            return
        }
        if proxies.trustsEveryone {
            reader.refuse(
                SettingFault(.proxiesOpen, "ARAGORA_TRUSTED_PROXIES", "contains a network of every address (/0)"))
        }
        self = proxies
    }
}
