@main
enum Main {
    static func main() async { await Simulator.run(Array(CommandLine.arguments.dropFirst())) }
}
