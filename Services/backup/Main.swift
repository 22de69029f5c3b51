import ServiceKit

@main
enum Main {
    static func main() {
        ServiceHost.run(
            "backup", about: "Makes a verified backup on a schedule, and keeps as many as the retention says.",
            settings: { reader, _ in BackupSettings(reading: &reader) }, assemble: Assembly.services)
    }
}
