// swift-tools-version: 6.2
import PackageDescription

// No package dependencies, on purpose (docs/adr/0001-no-packages.md): the toolchain and Debian 12's C libraries only.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // Named kill points exist only in debug builds, which is what the fault tests run (ARCHITECTURE.md, "Kill points").
    .define("KILL_POINTS", .when(configuration: .debug)),
]
/// For the modules that touch C: every pointer expression is marked `unsafe`, so that `grep unsafe` is the audit list.
let fenced = strict + [.strictMemorySafety()]

/// A C library: a module map and a shim of typed inline functions under Shared/C.
func c(_ name: String, apt package: String) -> Target {
    .systemLibrary(name: name, path: "Shared/C/\(name)", providers: [.apt([package])])
}

func shared(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict,
    resources: [Resource] = [], exclude: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Shared/\(name)", exclude: exclude, resources: resources,
        swiftSettings: settings)
}

func service(
    _ name: String, folder: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
    plugins: [Target.PluginUsage] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Services/\(folder)", exclude: exclude, swiftSettings: strict,
        plugins: plugins)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: ["TestSupport"] + dependencies, path: "Tests/\(name)", exclude: exclude,
        swiftSettings: strict)
}

let drivers: [Target.Dependency] = [
    "Platform", "Sockets", "HTTP", "HTTPClient", "PostgresClient", "RedisClient", "Crypto",
]
let core: [Target.Dependency] = ["Domain", "Contracts", "Ledger"]
let adapters: [Target.Dependency] = ["Storage", "Messaging", "ServiceKit"]

let package = Package(
    name: "aragora",
    products: [
        .executable(name: "aragora-api", targets: ["aragora-api"]),
        .executable(name: "aragora-ws-gateway", targets: ["aragora-ws-gateway"]),
        .executable(name: "aragora-debate-worker", targets: ["aragora-debate-worker"]),
        .executable(name: "aragora-backup", targets: ["aragora-backup"]),
        .executable(name: "aragora", targets: ["aragora"]),
    ],
    targets: [
        // C fence
        c("CLinux", apt: "libc6-dev"),
        c("CLibPQ", apt: "libpq-dev"),
        c("CHiredis", apt: "libhiredis-dev"),
        c("CLibCrypto", apt: "libssl-dev"),
        c("CCurl", apt: "libcurl4-openssl-dev"),
        c("CZlib", apt: "zlib1g-dev"),

        // process plumbing
        shared("Platform", ["CLinux"]),
        shared("Sockets", ["Platform", "CLinux", "CLibCrypto"], settings: fenced),

        // generic drivers: know no product word
        shared("Crypto", ["Platform", "CLibCrypto"], settings: fenced),
        shared("Compression", ["CZlib"], settings: fenced),
        shared("HTTP", ["Platform", "Sockets", "Crypto", "Compression"]),
        shared("HTTPClient", ["Platform", "Sockets", "CCurl"], settings: fenced),
        shared("PostgresClient", ["Platform", "Sockets", "Crypto", "CLibPQ"], settings: fenced),
        shared("RedisClient", ["Platform", "Sockets", "CHiredis"], settings: fenced),

        // product core
        shared("Domain"),
        shared("Contracts", ["Domain"]),
        shared("Ledger", ["Domain", "Contracts", "Crypto"]),

        // product adapters
        shared("Storage", core + ["PostgresClient", "Platform", "Sockets", "Crypto"]),
        shared("Messaging", ["Domain", "Contracts", "RedisClient", "Platform", "Sockets"]),
        shared("Telemetry", ["Contracts", "Compression", "HTTPClient", "Platform", "Sockets"]),
        shared(
            "ServiceKit",
            [
                "Domain", "Contracts", "Storage", "Messaging", "Telemetry", "Platform", "Sockets", "HTTP",
                "PostgresClient",
                "RedisClient", "Crypto",
            ]),

        // product engines
        shared("Simulation", ["Domain"]),
        shared("Providers", ["Domain", "Contracts", "Messaging", "HTTPClient", "Platform", "Sockets"]),
        shared(
            "DebateRunner",
            core + [
                "Storage", "Messaging", "Providers", "Platform", "Sockets", "Crypto", "PostgresClient", "RedisClient",
            ]),
        shared(
            "Webhooks",
            ["Domain", "Contracts", "Storage", "HTTP", "HTTPClient", "Platform", "Sockets", "Crypto", "PostgresClient"]),
        shared("BackupCore", core + ["Storage", "Platform", "Crypto", "PostgresClient", "Sockets", "Compression"]),

        // executables: never import each other
        service(
            "aragora-api", folder: "api", drivers + core + adapters + ["DebateRunner", "Providers", "Webhooks"],
            exclude: ["Web"], plugins: ["WebFiles"]),
        service("aragora-ws-gateway", folder: "ws-gateway", drivers + core + adapters),
        service(
            "aragora-debate-worker", folder: "debate-worker",
            drivers + core + adapters + ["DebateRunner", "Providers", "Webhooks"]),
        service("aragora-backup", folder: "backup", drivers + core + adapters + ["BackupCore"]),
        service(
            "aragora", folder: "cli", drivers + core + adapters + ["BackupCore", "Providers", "Simulation"]),

        // what runs while the package is built: the page of the API becomes a part of it (docs/adr)
        .executableTarget(
            name: "web-packer", dependencies: ["CZlib"], path: "Plugins/web-packer", swiftSettings: strict),
        .plugin(
            name: "WebFiles", capability: .buildTool(), dependencies: ["web-packer"], path: "Plugins/WebFiles"),

        // tests and what they share
        .target(
            name: "TestSupport", dependencies: drivers + core + adapters + ["CLibCrypto"], path: "Tests/Support",
            swiftSettings: strict),
        .target(
            name: "FaultSupport", dependencies: ["TestSupport"] + drivers + core + adapters, path: "Tests/FaultSupport",
            swiftSettings: strict),
        .executableTarget(
            name: "aragora-chaos", dependencies: ["FaultSupport", "TestSupport"] + drivers + core + adapters,
            path: "Tests/Chaos", swiftSettings: strict),
        .executableTarget(
            name: "provider-simulator", dependencies: ["Platform", "Sockets", "HTTP", "Domain", "Contracts"],
            path: "Tests/ProviderSimulator", swiftSettings: strict),
        .executableTarget(
            name: "aragora-ws-echo", dependencies: ["HTTP", "Platform", "Sockets"], path: "Tests/WebSocketEcho",
            swiftSettings: strict),
        .executableTarget(
            name: "receipt-prover", dependencies: core + ["Crypto", "Platform"], path: "Tests/ReceiptProver",
            exclude: ["compare_vectors.py", "verify_receipt.py"], swiftSettings: strict),
        .executableTarget(
            name: "aragora-bench", dependencies: drivers + core + adapters + ["Providers", "Simulation"],
            path: "Benchmarks", exclude: ["growth", "litellm", "rivals", "rivals-http", "sending"],
            swiftSettings: strict),
        tests("PlatformTests", ["Platform"]),
        tests("SocketsTests", ["Sockets", "Platform"]),
        tests("CryptoTests", ["Crypto"]),
        tests("CompressionTests", ["Compression"]),
        tests("HTTPTests", ["HTTP", "Sockets", "Platform", "Compression"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTP", "Sockets", "Platform"]),
        tests("PostgresClientTests", ["PostgresClient", "Sockets", "Platform"]),
        tests("RedisClientTests", ["RedisClient", "Messaging", "Domain", "Contracts", "Sockets", "Platform"]),
        tests("DomainTests", ["Domain"]),
        tests("SimulationTests", ["Simulation", "Domain"]),
        tests("ContractsTests", ["Contracts", "Domain"]),
        tests("LedgerTests", core + ["Crypto", "receipt-prover"]),
        tests("StorageTests", core + ["Storage", "PostgresClient", "Sockets", "Platform", "Crypto"]),
        tests(
            "ProvidersTests",
            [
                "Providers", "Domain", "Contracts", "Messaging", "RedisClient", "HTTPClient", "HTTP", "Sockets",
                "Platform",
                "provider-simulator",
            ]),
        tests("RunnerTests", core + drivers + adapters + ["DebateRunner", "Providers"]),
        tests(
            "ServiceTests",
            core + drivers + adapters + [
                "aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup", "aragora",
                "DebateRunner", "BackupCore", "Providers", "Webhooks", "Compression", "Telemetry",
            ]),
        tests(
            "TelemetryTests",
            ["Telemetry", "Compression", "HTTPClient", "Contracts", "Domain", "Platform", "Sockets"]),
        tests(
            "EndToEndTests",
            core + drivers + adapters + ["BackupCore", "FaultSupport", "aragora-chaos", "provider-simulator"]),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6]
)

// `ARAGORA_ONLY_TARGETS=HTTPTests,LedgerTests swift build …` leaves out every target that those do not import. The
// sanitizers need a build of their own each, and judge the drivers only (scripts/sanitize.sh).
if let names = Context.environment["ARAGORA_ONLY_TARGETS"]?.split(separator: ",").map(String.init) {
    var wanted = Set<String>()
    var waiting = names
    while let name = waiting.popLast() {
        guard wanted.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else {
            continue
        }
        for case .byNameItem(let dependency, _) in target.dependencies { waiting.append(dependency) }
    }
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products = []
}
