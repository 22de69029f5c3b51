import Contracts
import Domain
import HTTPClient
import Platform
import Providers

/// Asks every configured provider whether it takes our key.
struct ProviderExamination: Sendable {
    typealias Check = CommandReports.Check

    static let deadlines = Deadlines(
        connect: .seconds(2), firstByte: .seconds(3), idle: .seconds(3), total: .milliseconds(3500))

    let settings: ProviderSettings
    let context: CommandContext

    func examine() async -> [Check] {
        var configuration = HTTPClientConfiguration()
        configuration.caFile = settings.caFile
        let http = HTTPClient(loop: context.loop, configuration: configuration)
        let providers = settings.configured
        let checks = await withTaskGroup(of: (Int, Check).self) { group in
            for (index, provider) in providers.enumerated() {
                guard let endpoint = settings.endpoints[provider] else { continue }
                let probe = ProviderProbe(endpoint: endpoint, http: http)
                group.addTask { (index, Self.check(provider, await probe.ask(deadlines: Self.deadlines))) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        await http.close()
        return checks
    }

    private static func check(_ provider: ProviderKey, _ answer: ProviderProbe.Answer) -> Check {
        let name = "provider_\(provider.rawValue)"
        switch answer {
        case .accepted(let status):
            return Check(name, .passed, "\(provider.rawValue): takes the key (\(status))")
        case .refused(let status):
            return .fault(.providerKeyRefused, name, "\(provider.rawValue): refuses the key (\(status))")
        case .failing(let status):
            return .fault(.providerUnreachable, name, "\(provider.rawValue): answers with status \(status)")
        case .unreachable(let reason):
            return .fault(.providerUnreachable, name, "\(provider.rawValue): \(reason)")
        }
    }
}
