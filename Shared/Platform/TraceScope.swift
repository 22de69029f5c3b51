/// What the work of a task belongs to, for those below that know of no request and no run: drivers. Set for recorded traces
/// alone; elsewhere a look costs nanoseconds.
package struct TraceScope: Sendable {
    /// Of this task, and of those that it begins.
    @TaskLocal package static var current: TraceScope?

    /// Spans of one request or run; what comes after has none.
    package static let maxSpans = 128

    private let tracer: Tracer
    private let parent: TraceContext
    private let begun = Lock(0)

    /// - Parameter parent: recorded; what is done in this scope is a part of it.
    package init(_ tracer: Tracer, parent: TraceContext) {
        self.tracer = tracer
        self.parent = parent
    }

    /// - Returns: nil when there were too many.
    package func begin(_ name: String, _ kind: Span.Kind, _ attributes: [Span.Attribute]) -> Span? {
        let number = begun.withLock { count in
            count += 1
            return count
        }
        guard number <= Self.maxSpans else { return nil }
        return tracer.begin(name, kind, after: parent, attributes)
    }

    package func end(_ span: Span?, failure: String? = nil) { tracer.end(span, failure: failure) }
}
