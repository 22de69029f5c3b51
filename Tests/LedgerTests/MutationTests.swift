import Crypto
import Ledger
import Testing

@testable import receipt_prover

@Suite("Edited receipts")
struct MutationTests {
    /// The whole million runs at night, in a release build (`scripts/check-receipts.sh`).
    @Test(
        "no edit of a byte or a part is accepted, but for those that leave the canonical bytes as they are",
        arguments: Specimen.Form.allCases)
    func edits(_ form: Specimen.Form) throws {
        let report = try MutationRun(form, seed: 40 + UInt64(form.rawValue)).run(edits: 600, seed: 9)
        #expect(report.accepted.isEmpty, "\(report.accepted)")
        #expect(report.edits > 500)
    }

    @Test("every form of file is accepted as it is, and says what it proves", arguments: Specimen.Form.allCases)
    func untouched(_ form: Specimen.Form) throws {
        let (keys, forms) = (try Specimen.keys(), Specimen.Form.self)
        let specimen = try Specimen(form, seed: 5, keys: keys)
        let found = Specimen.judge(specimen.bytes, specimen.trusted, .init(keys: keys))
        #expect(found.isProven)
        let withChain = [forms.events, .whole, .redactedEvents, .redactedWhole].contains(form)
        #expect((found.chain == "valid") == withChain)
        #expect((found.log != "none") == [forms.whole, .excerpts, .redactedWhole].contains(form))
        // With the public key alone, too.
        let open = Specimen.judge(specimen.bytes, specimen.trusted, .init(.init(open: keys.pairs.publicKeys)))
        #expect(open == found)
    }
}
