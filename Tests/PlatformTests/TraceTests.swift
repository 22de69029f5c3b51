import Testing

@testable import Platform

@Suite("A trace")
struct TraceTests {
    private static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("is read and written as W3C Trace Context says")
    func form() throws {
        let context = try #require(TraceContext(traceparent: Self.text))
        #expect(context.trace.text == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.span == 0x00f0_67aa_0ba9_02b7)
        #expect(context.isSampled && context.traceparent == Self.text)
        let other = try #require(TraceContext(traceparent: String(Self.text.dropLast(2)) + "fe"))
        #expect(!other.isSampled && other.traceparent.hasSuffix("-00"))
        // A later version may say more behind what is known.
        let later = try #require(TraceContext(traceparent: "cc" + Self.text.dropFirst(2) + "-what-the-future-will-be"))
        #expect(later == context)
    }

    @Test(
        "is not taken from what is no traceparent",
        arguments: [
            "", "nonsense", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", text + "-", text + "-more",
            text.uppercased(), "ff" + text.dropFirst(2), "cc" + text.dropFirst(2) + ".more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", "0x" + text.dropFirst(2),
        ])
    func refused(text: String) { #expect(TraceContext(traceparent: text) == nil) }

    @Test("names spans by hashes, and never by 0")
    func hashes() throws {
        let context = try #require(TraceContext(traceparent: Self.text))
        #expect(context.after(hash: [1, 2, 3, 4, 5, 6, 7, 8, 9]).span == 0x0102_0304_0506_0708)
        #expect(context.after(hash: [UInt8](repeating: 0, count: 32)).span == 1)
    }

    @Test("is recorded as its sampler says", arguments: TraceSampler.names)
    func sampled(name: String) throws {
        let sampler = try #require(TraceSampler(name, share: 0.25))
        let parent = try #require(TraceContext(traceparent: Self.text))
        let unwanted = TraceContext(trace: parent.trace, span: 1, isSampled: false)
        let traces = (0..<4000).map { _ in TraceContext.random(isSampled: false).trace }
        let share = Double(traces.count { sampler.records($0, parent: nil) }) / 4000
        let (kept, left) = (
            sampler.records(parent.trace, parent: parent), sampler.records(parent.trace, parent: unwanted)
        )
        switch name {
        case "always_on": #expect(share == 1 && kept && left)
        case "always_off": #expect(share == 0 && !kept && !left)
        case "parentbased_always_on": #expect(share == 1 && kept && !left)
        case "parentbased_always_off": #expect(share == 0 && kept && !left)
        case "parentbased_traceidratio": #expect((0.2...0.3).contains(share) && kept && !left)
        default: #expect((0.2...0.3).contains(share) && kept == left)
        }
        // Every process decides alike.
        #expect(traces.allSatisfy { sampler.records($0, parent: nil) == sampler.records($0, parent: nil) })
    }

    @Test("costs nothing where nobody records it")
    func off() throws {
        let parent = try #require(TraceContext(traceparent: Self.text))
        #expect(Tracer.disabled.begin("never made", .internal, after: parent) == nil)
        #expect(Tracer.disabled.enter(parent).context == parent)
        #expect(!Tracer.disabled.enter(nil).context.isSampled)
        let sampler = try #require(TraceSampler("parentbased_always_on", share: 1))
        let tracer = Tracer(sampler: sampler, capacity: 8)
        let unwanted = TraceContext(trace: parent.trace, span: 1, isSampled: false)
        #expect(tracer.begin("never made", .internal, after: unwanted) == nil)
        #expect(tracer.begin("never made", .internal, after: nil) == nil)
        tracer.end(nil)
        #expect(tracer.take(10).spans.isEmpty)
    }

    @Test("keeps as many ended spans as it was told, counts the others, and rings once it has a batch")
    func bounded() throws {
        let parent = try #require(TraceContext(traceparent: Self.text))
        let sampler = try #require(TraceSampler("always_on", share: 1))
        let tracer = Tracer(sampler: sampler, capacity: 4, wakeAt: 3)
        let rings = Lock(0)
        tracer.onFull { rings.withLock { $0 += 1 } }
        for place in 0..<6 { tracer.end(tracer.begin("span \(place)", .internal, after: parent)) }
        #expect(rings.withLock { $0 } == 1)
        let first = tracer.take(3)
        #expect(first.spans.map(\.name) == ["span 0", "span 1", "span 2"] && first.dropped == 2)
        let rest = tracer.take(3)
        #expect(rest.spans.map(\.name) == ["span 3"] && rest.dropped == 0)
        #expect(first.spans.allSatisfy { $0.parent == parent.span && $0.context.trace == parent.trace })
        #expect(first.spans.allSatisfy { $0.start > 0 && $0.end >= $0.start })
    }

    @Test("an error line is put aside for whoever reports errors, with all its fields; others are not")
    func inbox() {
        let inbox = ErrorInbox()
        let log = Log(service: "test", level: .error, errors: inbox) { _ in }.with(.debateID("dbt_1"))
        log.warning("not this")
        log.error("this", .count(3))
        for _ in 0..<ErrorInbox.capacity { log.error("too many") }
        let (reports, dropped) = inbox.take()
        #expect(reports.count == ErrorInbox.capacity && dropped == 1)
        #expect(reports[0].message == "this" && reports[0].fields.map(\.name) == ["service", "debate_id", "count"])
        #expect(inbox.take().reports.isEmpty)
    }
}
