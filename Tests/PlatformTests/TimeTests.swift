import Testing

@testable import Platform

@Suite("Times as text")
struct ISO8601Tests {
    @Test(
        "are written with milliseconds, in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func table(milliseconds: Int64, text: String) {
        #expect(ISO8601.string(milliseconds: milliseconds) == text)
        #expect(ISO8601.milliseconds(text) == milliseconds)
    }

    @Test("beyond four digits of a year are the nearest there is", arguments: [Int64.min, .max, 253_402_300_800_000])
    func clamped(milliseconds: Int64) {
        let nearest = milliseconds < 0 ? "0000-01-01T00:00:00.000Z" : "9999-12-31T23:59:59.999Z"
        #expect(ISO8601.string(milliseconds: milliseconds) == nearest)
    }

    @Test(
        "are read with any fraction up to nine digits",
        arguments: [
            ("2026-01-02T03:04:05Z", 0), ("2026-01-02T03:04:05.6Z", 600), ("2026-01-02T03:04:05.06Z", 60),
            ("2026-01-02T03:04:05.678Z", 678), ("2026-01-02T03:04:05.678999999Z", 678),
        ] as [(String, Int64)])
    func fractions(text: String, rest: Int64) { #expect(ISO8601.milliseconds(text) == 1_767_323_045_000 + rest) }

    @Test(
        "are not read when there is no such time, or the form is another",
        arguments: [
            "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05+00:00",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05.12aZ", "+026-01-02T03:04:05Z",
            "2026-01-02t03:04:05z",
            "２026-01-02T03:04:05Z",
        ])
    func refused(text: String) { #expect(ISO8601.milliseconds(text) == nil) }

    @Test("come back as they went, for random times of all years")
    func roundTrip() {
        for _ in 0..<20_000 {
            let milliseconds = Int64.random(in: ISO8601.range)
            #expect(ISO8601.milliseconds(ISO8601.string(milliseconds: milliseconds)) == milliseconds)
        }
    }

    @Test("sort like the times they say")
    func order() {
        for _ in 0..<2000 {
            let (one, other) = (Int64.random(in: ISO8601.range), Int64.random(in: ISO8601.range))
            #expect((one < other) == (ISO8601.string(milliseconds: one) < ISO8601.string(milliseconds: other)))
        }
    }
}

@Suite("Durations and instants")
struct DurationTests {
    @Test(
        "are clamped to what 64 bits of nanoseconds hold",
        arguments: [
            (Duration.zero, 0), (.nanoseconds(-1), -1), (.seconds(9_223_372_036), 9_223_372_036_000_000_000),
            (.seconds(9_223_372_036) + .nanoseconds(854_775_807), .max),
            (.seconds(9_223_372_036) + .nanoseconds(854_775_808), .max),
            (.seconds(Int64.max), .max), (.seconds(-9_223_372_036) - .nanoseconds(900_000_000), .min),
            (.seconds(Int64.min), .min),
        ] as [(Duration, Int64)])
    func clamped(duration: Duration, nanoseconds: Int64) { #expect(duration.nanosecondsClamped == nanoseconds) }

    @Test("an instant moved too far is the last one")
    func advanced() {
        let now = BootInstant.now()
        #expect(now.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(BootInstant(nanoseconds: -2).advanced(by: .seconds(Int64.min)).nanoseconds == .min)
        #expect(now.advanced(by: .seconds(1)).since(now) == .seconds(1))
        #expect(now < now.advanced(by: .nanoseconds(1)))
    }
}

@Suite("A backoff")
struct BackoffTests {
    @Test("doubles to its cap, draws from the upper half, and begins anew")
    func bounds() {
        for _ in 0..<200 {
            var backoff = Backoff(first: .milliseconds(100), cap: .seconds(1))
            for full in [100, 200, 400, 800, 1000, 1000] as [Int64] {
                let wait = backoff.next()
                #expect(wait >= .milliseconds(full) / 2 && wait <= .milliseconds(full))
            }
            backoff.reset()
            #expect(backoff.next() <= .milliseconds(100))
        }
    }

    @Test("never overflows, however often it is asked")
    func many() {
        var backoff = Backoff(first: .seconds(5), cap: .seconds(60))
        for _ in 0..<5000 { #expect(backoff.next() <= .seconds(60)) }
    }

    @Test("does not wait the same for everyone")
    func jitter() {
        let waits = Set(
            (0..<50).map { _ in
                var backoff = Backoff()
                return backoff.next()
            })
        #expect(waits.count > 1)
    }
}
