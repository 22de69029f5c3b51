/// What Package.swift declares, read from its text.
///
/// `swift package dump-package` would be exact, but it waits for the lock of the build that runs this test.
struct PackageManifest {
    /// Target → its dependencies among our modules.
    let dependencies: [String: Set<String>]
    let text: String

    init() throws {
        text = try SourceTree.text(of: "Package.swift")
        var groups: [String: Set<String>] = [:]
        for match in text.matches(of: try Regex(#"(?m)^let (\w+): \[Target\.Dependency\] = (\[[^\]]*\])"#)) {
            groups[String(match[1].substring ?? "")] = Self.names(in: match[2].substring ?? "", groups: [:])
        }
        var found: [String: Set<String>] = [:]
        // The formatter wraps long calls: a call ends at the first line that closes it.
        for match in text.matches(of: try Regex(#"(?ms)^\s+(?:shared|service)\(\s*"([\w-]+)"(.*?)\),?$"#)) {
            // Only what comes before the labelled arguments is a list of modules; `folder:` comes before it.
            var rest = String(match[2].substring ?? "")
            rest.replace(try Regex(#"folder: "[\w-]+","#), with: "")
            rest.replace(try Regex(#"(?s)(settings|resources|exclude|plugins):.*"#), with: "")
            found[String(match[1].substring ?? "")] = Self.names(in: rest[...], groups: groups)
        }
        dependencies = found
    }

    /// Quoted names, and the names in every group mentioned.
    private static func names(in list: Substring, groups: [String: Set<String>]) -> Set<String> {
        var names: Set<String> = []
        for (index, part) in list.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if index.isMultiple(of: 2) {
                for word in part.split(whereSeparator: { !$0.isLetter }) { names.formUnion(groups[String(word)] ?? []) }
            } else {
                names.insert(String(part))
            }
        }
        return names
    }
}
