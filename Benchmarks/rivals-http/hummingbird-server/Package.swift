// swift-tools-version: 6.2
import PackageDescription

// A rival of the benchmark `http`, and no part of the product: only scripts/bench.sh builds it, when that is chosen.
let package = Package(
    name: "rival-hummingbird",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    ],
    targets: [
        .executableTarget(
            name: "rival-hummingbird",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], path: "Sources/HealthServer")
    ],
    swiftLanguageModes: [.v6]
)
