/// A log line before it is bytes.
struct LogLine {
    /// A field longer than this is cut: one hostile value must not fill the disk.
    static let maxValueCharacters = 2048

    let time: Int64
    let level: LogLevel
    let message: String
    let fields: [LogField]

    func json() -> [UInt8] {
        var out = "{\"time\":\"\(ISO8601.string(milliseconds: time))\",\"level\":\"\(level.name)\",\"message\":"
        Self.appendQuoted(message, to: &out)
        for field in fields {
            out += ","
            Self.appendQuoted(field.name, to: &out)
            out += ":"
            switch field.value {
            case .string(let text): Self.appendQuoted(text, to: &out)
            case .int(let number): out += String(number)
            case .double(let number): out += number.isFinite ? "\(number)" : "null"
            case .bool(let flag): out += flag ? "true" : "false"
            }
        }
        out += "}\n"
        return Array(out.utf8)
    }

    func text() -> [UInt8] {
        var out = "\(ISO8601.string(milliseconds: time)) \(level.name.uppercased()) \(message)"
        for field in fields {
            out += " \(field.name)="
            switch field.value {
            case .string(let value):
                let plain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
                if plain && !value.isEmpty {
                    out += value.prefix(Self.maxValueCharacters)
                } else {
                    Self.appendQuoted(value, to: &out)
                }
            case .int(let number): out += String(number)
            case .double(let number): out += "\(number)"
            case .bool(let flag): out += flag ? "true" : "false"
            }
        }
        out += "\n"
        return Array(out.utf8)
    }

    private static func appendQuoted(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars.prefix(maxValueCharacters) {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
