import Platform

/// The name of a verified backup, `aragora-20260102_030405.sql.gz`: the second in UTC at which its dump began.
package struct BackupName: Sendable, Hashable, Comparable, CustomStringConvertible {
    static let prefix = "aragora-"
    static let suffix = ".sql.gz"
    /// What a dump is called while it is being made and proved.
    static let partialSuffix = ".partial"
    static let manifestSuffix = ".json"

    /// Seconds since 1970.
    package let second: Int64

    package init(second: Int64) { self.second = second }

    /// - Returns: nil unless `file` has exactly the form we write.
    package init?(file: String) {
        guard file.hasPrefix(Self.prefix), file.hasSuffix(Self.suffix) else { return nil }
        let stamp = Array(file.utf8.dropFirst(Self.prefix.utf8.count).dropLast(Self.suffix.utf8.count))
        guard stamp.count == 15, stamp[8] == UInt8(ascii: "_") else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: stamp[range], as: UTF8.self) }
        let iso = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
        guard let milliseconds = ISO8601.milliseconds(iso) else { return nil }
        self.init(second: milliseconds / 1000)
        // The 31st of February is read as a day in March; it is not a name of ours.
        guard self.file == file else { return nil }
    }

    /// The name of the dump.
    package var file: String { "\(Self.prefix)\(digits.prefix(8))_\(digits.dropFirst(8))\(Self.suffix)" }
    /// The manifest beside the dump.
    package var manifest: String { String(file.dropLast(Self.suffix.count)) + Self.manifestSuffix }
    var partial: String { file + Self.partialSuffix }

    /// Months since the year 0, in UTC.
    var month: Int64 { (Int64(digits.prefix(4)) ?? 0) * 12 + (Int64(digits.dropFirst(4).prefix(2)) ?? 0) }

    /// YYYYMMDDHHMMSS.
    private var digits: String {
        String(ISO8601.string(milliseconds: second * 1000).filter { $0.isASCII && $0.isNumber }.prefix(14))
    }

    package var description: String { file }
    package static func < (left: BackupName, right: BackupName) -> Bool { left.second < right.second }
}
