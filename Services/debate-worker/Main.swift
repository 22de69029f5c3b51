import ServiceKit

@main
enum Main {
    static func main() {
        ServiceHost.run(
            "debate-worker", about: WorkerSettings.about, settings: { WorkerSettings(reading: &$0, common: $1) },
            assemble: Assembly.services)
    }
}
