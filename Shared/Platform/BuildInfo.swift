/// What was built, for `/health/build`, `--version` and the start line of each log.
package struct BuildInfo: Sendable {
    package let version: String
    /// Full commit id, or "unknown".
    package let commit: String
    /// ISO 8601, or "unknown".
    package let builtAt: String

    package init(version: String = BuildInfo.productVersion, commit: String, builtAt: String) {
        self.version = version
        self.commit = commit
        self.builtAt = builtAt
    }

    package static let productVersion = "0.1.0"
}
