import ServiceKit

@main
enum Main {
    static func main() {
        ServiceHost.run(
            "api", about: APISettings.about, settings: { APISettings(reading: &$0, common: $1) },
            assemble: Assembly.services)
    }
}
