import Contracts
import Domain
import Testing

@Suite("Times as text")
struct TimestampTextTests {
    @Test(
        "writes UTC with milliseconds and reads it back",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func roundTrip(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).iso8601 == text)
        #expect(Timestamp(iso8601: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test("clamps what has no four-digit year", arguments: [Int64.min, Int64.max])
    func clamps(milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).iso8601.utf8.count == 24)
    }

    @Test(
        "refuses another form and dates that do not exist",
        arguments: [
            "", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.678Z", "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:60.000Z",
            "2026-01-02T03:04:05.678z", "2026-01-02T03:04:05,678Z", "+026-01-02T03:04:05.678Z",
            "2026-04-31T00:00:00.000Z",
        ])
    func refuses(text: String) { #expect(Timestamp(iso8601: text) == nil) }
}
