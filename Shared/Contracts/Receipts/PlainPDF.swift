/// Lines of text as a PDF: one font that every reader has, nothing else.
struct PlainPDF {
    private static let (columns, rows) = (92, 58)

    let lines: [String]

    var bytes: [UInt8] {
        let wrapped = lines.flatMap(Self.wrapped)
        let pages = stride(from: 0, to: max(wrapped.count, 1), by: Self.rows).map {
            Array(wrapped[$0..<min($0 + Self.rows, wrapped.count)])
        }
        let kids = pages.indices.map { "\(4 + $0 * 2) 0 R" }.joined(separator: " ")
        var objects: [[UInt8]] = [
            Array("<< /Type /Catalog /Pages 2 0 R >>".utf8),
            Array("<< /Type /Pages /Kids [\(kids)] /Count \(pages.count) >>".utf8),
            Array("<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>".utf8),
        ]
        for (index, page) in pages.enumerated() {
            objects.append(
                Array(
                    """
                    << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> \
                    /Contents \(5 + index * 2) 0 R >>
                    """.utf8))
            let content = Self.content(page)
            objects.append(Array("<< /Length \(content.count) >>\nstream\n".utf8) + content + Array("\nendstream".utf8))
        }
        return Self.file(objects)
    }

    private static func file(_ objects: [[UInt8]]) -> [UInt8] {
        var out = Array("%PDF-1.4\n".utf8)
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(out.count)
            out += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let start = out.count
        out += Array("xref\n0 \(objects.count + 1)\n0000000000 65535 f \n".utf8)
        for place in places { out += Array((String(String(10_000_000_000 + place).dropFirst()) + " 00000 n \n").utf8) }
        return out + Array("trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n".utf8)
    }

    private static func content(_ lines: [[UInt8]]) -> [UInt8] {
        var out = Array("BT /F1 9 Tf 12.8 TL 45 800 Td\n".utf8)
        for line in lines {
            out.append(UInt8(ascii: "("))
            for byte in line {
                if byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "\\") {
                    out.append(UInt8(ascii: "\\"))
                }
                out.append(byte)
            }
            out += Array(") Tj T*\n".utf8)
        }
        return out + Array("ET".utf8)
    }

    /// A line in Latin-1, cut into pieces that fit.
    private static func wrapped(_ line: String) -> [[UInt8]] {
        let bytes = line.unicodeScalars.map { scalar -> UInt8 in
            let isShown = (0x20..<0x7F).contains(scalar.value) || (0xA0...0xFF).contains(scalar.value)
            return isShown ? UInt8(scalar.value) : UInt8(ascii: "?")
        }
        guard bytes.count > columns else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: columns).map { Array(bytes[$0..<min($0 + columns, bytes.count)]) }
    }
}
