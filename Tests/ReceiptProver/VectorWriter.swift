import Contracts
import Crypto
import Domain
import Ledger

/// Vectors for a second verifier: files, whole and edited, with what this one says of each.
package struct VectorWriter: Sendable {
    package init() {}

    /// Vectors of one draw of files; line after line.
    /// - Parameter write: takes one line without its end.
    package func write(count: Int, seed: UInt64, _ write: ([UInt8]) -> Void) throws {
        let keys = try Specimen.keys()
        let verifier = ReceiptVerifier(keys: keys)
        write(
            CanonicalJSON.encode([
                "secret": .string(Specimen.secret),
                "public_keys": .strings(keys.pairs.publicKeys.map(\.pem)),
            ]))
        var (random, specimen, number) = (SeededRandom(seed: seed), Specimen?.none, 0)
        while number < count {
            // Ten of each file: itself, and nine edits of it.
            if number % 10 == 0 {
                let form = Specimen.Form.allCases[number / 10 % Specimen.Form.allCases.count]
                specimen = try Specimen(form, seed: seed &+ UInt64(number), keys: keys)
            }
            guard let specimen else { return }
            var file: [UInt8]? = specimen.bytes
            if number % 10 >= 7 {
                let value = try JSONParser.parse(specimen.bytes, maximumBytes: ReceiptBundle.maximumBytes)
                let kind = Int(random.next() % UInt64(Mutation.partKinds))
                file = Mutation.part(kind, of: value, foreign: specimen.foreign, &random).map(CanonicalJSON.encode)
            } else if number % 10 > 0 {
                let place = Int(random.next() % UInt64(specimen.bytes.count))
                file = Mutation.byte(number % Mutation.byteKinds, at: place, of: specimen.bytes, &random)
            }
            let bytes = file ?? specimen.bytes
            let verdict = Specimen.judge(bytes, specimen.trusted, verifier)
            write(
                CanonicalJSON.encode([
                    "file": .string(Self.hex(bytes)), "head": specimen.trusted?.json ?? .null,
                    "accepted": .bool(verdict.isProven), "chain": .string(verdict.chain), "log": .string(verdict.log),
                ]))
            number += 1
        }
    }

    /// An edited file need not be UTF-8.
    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
