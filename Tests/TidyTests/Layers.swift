/// The arrows of ARCHITECTURE.md as a table: what each module may import. Package.swift must say the same.
enum Layers {
    private static let core: Set<String> = ["Domain", "Contracts", "Ledger"]
    private static let drivers: Set<String> = [
        "Platform", "Sockets", "HTTP", "HTTPClient", "PostgresClient", "RedisClient", "Crypto",
    ]
    private static let adapters: Set<String> = ["Storage", "Messaging", "ServiceKit"]

    /// Module under Shared → modules of ours it may import.
    static let shared: [String: Set<String>] = [
        "Platform": ["CLinux"],
        "Sockets": ["Platform", "CLinux", "CLibCrypto"],
        "Crypto": ["Platform", "CLibCrypto"],
        "Compression": ["CZlib"],
        "HTTP": ["Platform", "Sockets", "Crypto", "Compression"],
        "HTTPClient": ["Platform", "Sockets", "CCurl"],
        "PostgresClient": ["Platform", "Sockets", "Crypto", "CLibPQ"],
        "RedisClient": ["Platform", "Sockets", "CHiredis"],
        "Domain": [],
        "Contracts": ["Domain"],
        "Ledger": ["Domain", "Contracts", "Crypto"],
        "Storage": core.union(["PostgresClient", "Platform", "Sockets", "Crypto"]),
        "Messaging": ["Domain", "Contracts", "RedisClient", "Platform", "Sockets"],
        "Telemetry": ["Contracts", "Compression", "HTTPClient", "Platform", "Sockets"],
        "ServiceKit": drivers.subtracting(["HTTPClient"]).union([
            "Domain", "Contracts", "Storage", "Messaging", "Telemetry",
        ]),
        "Providers": ["Domain", "Contracts", "Messaging", "HTTPClient", "Platform", "Sockets"],
        "DebateRunner": core.union([
            "Storage", "Messaging", "Providers", "Platform", "Sockets", "Crypto", "PostgresClient", "RedisClient",
        ]),
        "Simulation": ["Domain"],
        "Webhooks": [
            "Domain", "Contracts", "Storage", "HTTP", "HTTPClient", "Platform", "Sockets", "Crypto", "PostgresClient",
        ],
        "BackupCore": core.union(["Storage", "Platform", "Crypto", "PostgresClient", "Sockets", "Compression"]),
    ]

    /// Folder under Services → modules of ours it may import; never another service.
    static let services: [String: Set<String>] = [
        "api": drivers.union(core).union(adapters).union(["DebateRunner", "Providers", "Webhooks"]),
        "ws-gateway": drivers.union(core).union(adapters),
        "debate-worker": drivers.union(core).union(adapters).union(["DebateRunner", "Providers", "Webhooks"]),
        "backup": drivers.union(core).union(adapters).union(["BackupCore"]),
        "cli": drivers.union(core).union(adapters).union(["BackupCore", "Providers", "Simulation"]),
    ]

    /// What comes with the toolchain. Foundation itself is 10 MB of memory in each process and stays out.
    static let toolchain: Set<String> = ["Glibc", "Dispatch", "Synchronization", "FoundationEssentials"]

    /// Modules that get less than all of ``toolchain``: pure code has nothing to ask the system.
    static let toolchainExceptions: [String: Set<String>] = [
        "Domain": [],
        "Contracts": ["Glibc"],  // the mathematics of JSON numbers
        "Ledger": [],
        "Simulation": ["Glibc"],  // powers
    ]

    /// C module → the modules that fence it.
    static let fences: [String: Set<String>] = [
        "CLinux": ["Platform", "Sockets"],
        "CLibPQ": ["PostgresClient"],
        "CHiredis": ["RedisClient"],
        "CLibCrypto": ["Crypto", "Sockets"],
        "CCurl": ["HTTPClient"],
        "CZlib": ["Compression"],
    ]
}
