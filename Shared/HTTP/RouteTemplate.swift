/// A path with places for parameters: `/things/{id}/parts`; a last `{rest...}` takes all remaining segments.
struct RouteTemplate: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }

    let text: String
    let segments: [Segment]

    /// - Precondition: `text` begins with `/`; templates are in our own source.
    init(_ text: String) {
        precondition(text.hasPrefix("/"), "a route template begins with /")
        self.text = text
        segments = Self.split(text).map { Self.segment(String($0)) }
    }

    /// The segments of a path: `/` has none, `/a/` has `a` and an empty one.
    static func split(_ path: String) -> [Substring] {
        path == "/" ? [] : path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func segment(_ text: String) -> Segment {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return .literal(text) }
        let name = String(text.dropFirst().dropLast())
        return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .parameter(name)
    }
}
