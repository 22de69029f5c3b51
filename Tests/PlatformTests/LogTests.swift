import Foundation
import Testing

@testable import Platform

@Suite("A log")
struct LogTests {
    /// What was written, line by line.
    final class Sink: Sendable {
        private let written = Lock([[UInt8]]())
        func take(_ line: [UInt8]) { written.withLock { $0.append(line) } }
        var lines: [String] { written.withLock { $0 }.map { String(decoding: $0, as: UTF8.self) } }
    }

    static func write(_ format: Log.Format, level: LogLevel = .debug, _ body: (Log) -> Void) -> [String] {
        let sink = Sink()
        body(Log(service: "test", level: level, format: format) { sink.take($0) })
        return sink.lines
    }

    static let hostile = [
        "a\nb", "quote \" and \\ back", "\u{0}\u{1B}[31m\u{7F}", "\r\n{\"level\":\"error\"}", "tab\t", "\u{85}\u{9B}",
        "é漢😀",
        "x=1 y=\"2\"", "", "\u{2028}\u{FEFF}",
    ]

    @Test("writes one JSON object a line, whatever the values hold", arguments: hostile)
    func json(value: String) throws {
        let lines = Self.write(.json) { $0.info("something happened", .reason(value), .count(3)) }
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.hasSuffix("}\n") && !line.dropLast().contains { $0.isNewline && $0 != "\u{2028}" })
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["reason"] as? String == value)
        #expect(object["message"] as? String == "something happened")
        #expect(object["service"] as? String == "test")
        #expect(object["level"] as? String == "info")
        #expect(object["count"] as? Int == 3)
        #expect((object["time"] as? String).flatMap { ISO8601.milliseconds($0) } != nil)
    }

    @Test("writes one text line that no value can forge", arguments: hostile)
    func text(value: String) throws {
        let lines = Self.write(.text) { $0.warning("something happened", .reason(value)) }
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(line.contains(" WARNING something happened service=test reason="))
        #expect(line.components(separatedBy: " y=").count == 1 || line.contains("reason=\""))
    }

    @Test("cuts a value at its limit", arguments: [Log.Format.json, .text])
    func cut(format: Log.Format) throws {
        let limit = LogLine.maxValueCharacters
        for count in [limit, limit + 1, 10 * limit] {
            for letter in ["x", "é"] {
                let lines = Self.write(format) { $0.info("m", .reason(String(repeating: letter, count: count))) }
                let written = try #require(lines.first).unicodeScalars.filter { $0 == letter.unicodeScalars.first }
                #expect(written.count == limit)
            }
        }
    }

    @Test("leaves out what is below its level", arguments: LogLevel.allCases)
    func levels(level: LogLevel) {
        let lines = Self.write(.text, level: level) { log in
            log.debug("d")
            log.info("i")
            log.warning("w")
            log.error("e")
        }
        #expect(lines.count == LogLevel.allCases.filter { $0 >= level }.count)
    }

    @Test("carries the fields it was given on every line")
    func fields() {
        let lines = Self.write(.text) { log in
            let inner = log.with(.debateID("dbt_1"))
            inner.info("a", .status(200))
            log.info("b")
        }
        #expect(lines.first?.hasSuffix(" INFO a service=test debate_id=dbt_1 status=200\n") == true)
        #expect(lines.last?.hasSuffix(" INFO b service=test\n") == true)
    }

    @Test("writes numbers that JSON has no word for as null")
    func numbers() throws {
        let lines = Self.write(.json) {
            $0.info("m", LogField("a", .double(.nan)), LogField("b", .double(-.infinity)), LogField("c", .double(1e21)))
        }
        let line = try #require(lines.first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["a"] is NSNull && object["b"] is NSNull)
        #expect(object["c"] as? Double == 1e21)
    }

    @Test(
        "knows its levels by name",
        arguments: [("DEBUG", LogLevel.debug), ("warn", .warning), ("critical", .error), ("loud", nil)])
    func names(name: String, level: LogLevel?) { #expect(LogLevel(name: name) == level) }
}
