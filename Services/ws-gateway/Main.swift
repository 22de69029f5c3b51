import ServiceKit

@main
enum Main {
    static func main() {
        ServiceHost.run(
            "ws-gateway", about: GatewaySettings.about, settings: { GatewaySettings(reading: &$0, common: $1) },
            assemble: Assembly.services)
    }
}
