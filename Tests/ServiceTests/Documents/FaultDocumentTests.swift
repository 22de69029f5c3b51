import Foundation
import Platform
import TestSupport
import Testing

/// The table of docs/troubleshooting.md is the catalogue of faults.
@Suite("Fault document")
struct FaultDocumentTests {
    @Test("the document lists every fault with its code and what mends it")
    func document() throws {
        let sections = FaultCatalogue.groups.map { subject, faults in
            let rows = faults.map { fault in
                [
                    fault.code, fault.weight == .broken ? "✗" : "○", Self.sentence(fault.summary),
                    Self.sentence(fault.fix),
                ]
            }
            return "### \(subject)\n\n" + GeneratedSection.table(["Code", "", "Fault", "What mends it"], rows)
        }
        try GeneratedSection.check("faults", of: "docs/troubleshooting.md", is: sections.joined(separator: "\n\n"))
    }

    @Test("a code is given once, its hundred is its subject, and a fix is one line")
    func codes() {
        let all = FaultCatalogue.all
        #expect(Set(all.map(\.code)).count == all.count)
        for (index, group) in FaultCatalogue.groups.enumerated() {
            for fault in group.faults {
                #expect(fault.code.hasPrefix("ARA-D\(index + 1)") && fault.code.count == 8, "\(fault.code)")
                #expect(!fault.fix.contains("\n") && !fault.fix.isEmpty && !fault.summary.isEmpty, "\(fault.code)")
            }
        }
    }

    @Test("every fault that a source names is in the catalogue")
    func complete() throws {
        let source = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Shared/Platform/FaultCatalogue.swift"), encoding: .utf8)
        let declared = source.matches(of: #/package static let (\w+) = Fault\(/#).map { String($0.output.1) }
        #expect(declared.count == FaultCatalogue.all.count)
    }

    /// Names of programs keep their small letter.
    private static func sentence(_ text: String) -> String {
        let isName = text.prefix { $0 != " " }.contains("_")
        return (isName ? text : text.prefix(1).uppercased() + text.dropFirst()) + "."
    }
}
