/// Debian's `wrk`: a closed-loop HTTP load from C, the same for us and for the rival.
struct Wrk: Sendable {
    static let binary = "/usr/bin/wrk"

    let requests: Double
    let requestsPerSecond: Double
    let errors: Bool

    static func run(
        url: String, connections: Int, seconds: Double, processor: Int, headers: [String] = [], script: String? = nil
    ) async throws -> Wrk {
        guard Command.exists(binary) else { throw Skipped("wrk is not installed (apt-get install wrk)") }
        let output = try await Command.run(
            "/usr/bin/taskset",
            ["-c", String(processor), binary, "-t1", "-c\(connections)", "-d\(Int(max(1, seconds)))s"]
                + headers.flatMap { ["-H", $0] } + (script.map { ["-s", $0] } ?? []) + [url])
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        guard let requests = lines.first(where: { $0.count > 2 && $0[1] == "requests" && $0[2] == "in" })?.first,
            let rate = lines.first(where: { $0.first == "Requests/sec:" })?.last, let total = Double(requests),
            let perSecond = Double(rate)
        else { throw BenchFailure("wrk printed something else: \(output)") }
        return Wrk(
            requests: total, requestsPerSecond: perSecond,
            errors: output.contains("Non-2xx") || output.contains("Socket errors"))
    }
}
