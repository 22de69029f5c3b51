import Glibc
package import Platform

extension BuildInfo {
    /// This build. Commit and time come from the image's environment; a plain build says "unknown".
    package static let current = BuildInfo(
        commit: environment("ARAGORA_BUILD_SHA"), builtAt: environment("ARAGORA_BUILD_TIME"))

    private static func environment(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? "unknown"
    }
}
