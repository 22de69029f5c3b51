/// Calls through our provider client to the provider simulator, over real sockets.
struct ProviderCalls: Benchmark {
    static let name = "provider"
    static let about = "provider client against the provider simulator"

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        _ = try bench.stores.executable("provider-simulator")
        throw Skipped("the provider simulator does not serve yet")
    }
}
