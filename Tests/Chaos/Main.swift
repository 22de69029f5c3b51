@main
enum Main {
    static func main() async { await ChaosCommand.run(Array(CommandLine.arguments.dropFirst())) }
}
