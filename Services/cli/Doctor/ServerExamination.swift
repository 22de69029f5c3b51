import Contracts
import HTTPClient
import Platform

/// Looks at the ports of this machine and at the API: is what listens there ours, and ready.
struct ServerExamination: Sendable {
    typealias Check = CommandReports.Check

    static let deadlines = Deadlines(
        connect: .seconds(1), firstByte: .seconds(3), idle: .seconds(1), total: .seconds(3))
    static let maxAnswerBytes = 64 * 1024

    let survey: EnvironmentSurvey
    let context: CommandContext

    func examine() async -> [Check] {
        var configuration = HTTPClientConfiguration()
        configuration.usesEnvironmentProxy = false
        let http = HTTPClient(loop: context.loop, configuration: configuration)
        async let api = api(http)
        let ports = await withTaskGroup(of: (Int, Check?).self) { group in
            for (index, port) in survey.ports.enumerated() {
                group.addTask { (index, await self.port(port, http)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.compactMap(\.1)
        }
        let server = await api
        await http.close()
        return ports + [server]
    }

    /// Nil when nobody listens there.
    private func port(_ port: EnvironmentSurvey.Port, _ http: HTTPClient) async -> Check? {
        let address = survey.bindAddress == "0.0.0.0" || survey.bindAddress == "::" ? "127.0.0.1" : survey.bindAddress
        let host = address.contains(":") ? "[\(address)]" : address
        let name = "port_\(port.number)"
        do throws(HTTPClientError) {
            let reply = try await http.send(
                HTTPClientRequest(
                    url: "http://\(host):\(port.number)/health/build", maxResponseBytes: Self.maxAnswerBytes),
                deadlines: Self.deadlines)
            if let build = try? JSONParser.parse(reply.body), let version = build["version"]?.string,
                build["sha"] != nil
            {
                return Check(name, .passed, "port \(port.number): aragora \(version)")
            }
            return taken(port, "answers with status \(reply.status), and is not aragora")
        } catch {
            if error.code == .connect || error.code == .connectTimeout { return nil }
            return taken(port, "does not speak HTTP as aragora does")
        }
    }

    private func taken(_ port: EnvironmentSurvey.Port, _ words: String) -> Check {
        .fault(.portTaken, "port_\(port.number)", "port \(port.number) (\(port.setting)): who listens there \(words)")
    }

    private func api(_ http: HTTPClient) async -> Check {
        let base: String
        do { base = try context.settings.baseURL() } catch { return .fault(.settingMalformed, "api", "\(error)") }
        do throws(HTTPClientError) {
            let reply = try await http.send(
                HTTPClientRequest(url: base + "/readyz", maxResponseBytes: Self.maxAnswerBytes),
                deadlines: Self.deadlines)
            let (isReady, line) = HealthBody.readinessLine(status: reply.status, body: reply.body)
            if isReady { return Check("api", .passed, "API: \(base) is \(line)") }
            return .fault(.serviceNotReady, "api", "API: \(base) is \(line)")
        } catch {
            return .note("api", "API: nobody answers at \(base)")
        }
    }
}
