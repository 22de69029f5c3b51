@main
enum Main {
    static func main() async { await BenchCommand.run(Array(CommandLine.arguments.dropFirst())) }
}
