import Contracts
import Domain
import Ledger

/// Many single edits of a few files, each judged by the verifier: what is accepted must have the same canonical bytes.
package struct MutationRun: Sendable {
    /// What a run found.
    package struct Report: Sendable {
        package var edits = 0
        /// Accepted, and the same bytes in canonical form: a space, an escape.
        package var same = 0
        /// Accepted although it is something else; the first few.
        package var accepted: [String] = []
        /// Of the files' bytes, how many were edited at least once.
        package var places = 0
        package var bytes = 0

        package mutating func add(_ other: Report) {
            edits += other.edits
            same += other.same
            accepted = Array((accepted + other.accepted).prefix(20))
            places += other.places
            bytes += other.bytes
        }
    }

    let specimen: Specimen
    let name: String

    package init(_ form: Specimen.Form, seed: UInt64) throws {
        specimen = try Specimen(form, seed: seed, keys: try Specimen.keys())
        name = "\(form)"
    }

    /// - Parameter edits: drawn over every byte and kind; one in sixteen is of a part instead.
    package func run(edits: Int, seed: UInt64) throws -> Report {
        var random = SeededRandom(seed: seed)
        let verifier = ReceiptVerifier(keys: try Specimen.keys())
        let base = Specimen.judge(specimen.bytes, specimen.trusted, verifier)
        guard base.isProven else { throw ContractError(.malformed, "\(name): the file itself is not accepted") }
        let value = try JSONParser.parse(specimen.bytes, maximumBytes: ReceiptBundle.maximumBytes)
        let canonical = CanonicalJSON.encode(value)
        var report = Report(bytes: specimen.bytes.count)
        var touched = [Bool](repeating: false, count: specimen.bytes.count)
        var turn = 0
        for number in 0..<edits {
            var changed: [UInt8]?
            var what = ""
            if number % 16 == 0 {
                let kind = Int(random.next() % UInt64(Mutation.partKinds))
                changed = Mutation.part(kind, of: value, foreign: specimen.foreign, &random).map(CanonicalJSON.encode)
                what = "part \(kind)"
            }
            if changed == nil {
                // Every byte in turn, so that none is left out; the kind is drawn.
                let place = turn < touched.count ? turn : Int(random.next() % UInt64(touched.count))
                turn += 1
                let kind = Int(random.next() % UInt64(Mutation.byteKinds))
                touched[place] = true
                changed = Mutation.byte(kind, at: place, of: specimen.bytes, &random)
                what = "byte \(place) kind \(kind)"
            }
            guard let file = changed else { continue }
            report.edits += 1
            guard Specimen.judge(file, specimen.trusted, verifier) == base else { continue }
            let again = try JSONParser.parse(file, maximumBytes: ReceiptBundle.maximumBytes)
            if CanonicalJSON.encode(again) == canonical {
                report.same += 1
            } else if report.accepted.count < 20 {
                report.accepted.append("\(name): \(what)")
            }
        }
        report.places = touched.count { $0 }
        return report
    }
}
