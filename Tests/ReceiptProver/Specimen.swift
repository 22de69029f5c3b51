package import Contracts
package import Crypto
import Domain
package import Ledger

/// A file that somebody could hold, with what its holder knows besides: a head seen before, or nothing.
package struct Specimen: Sendable {
    package enum Form: Int, CaseIterable, Sendable {
        /// The receipt alone; with its events; with some of them; all of it, in the log.
        case bare, events, excerpts, whole
        /// The same without texts, of the receipt or of events.
        case redacted, redactedEvents, redactedWhole
    }

    package let bytes: [UInt8]
    package let trusted: TreeHead?
    /// What else there is to pass off for a part of it: an earlier head, another debate's receipt and events.
    package let foreign: JSONObject

    package static let secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    package static func keys() throws -> KeyRing { try KeyRing(current: secret) }

    /// - Throws: when it can not be made.
    package init(_ form: Form, seed: UInt64, keys: KeyRing) throws {
        var random = SeededRandom(seed: seed ^ 0xA5A5)
        let (mine, other) = (
            try RandomDebate(seed: seed, keys: keys), try RandomDebate(seed: seed &+ 7_777_777, keys: keys)
        )
        var log = RandomLog()
        let (before, after) = (Int64(random.next() % 40), Int64(random.next() % 40))
        for _ in 0..<before { log.append(RandomDebate.bytes(40, &random)) }
        guard let leaf = ReceiptLeaf(mine.receipt), let otherLeaf = ReceiptLeaf(other.receipt),
            let redacted = ReceiptIssuer.redact(mine.receipt)
        else { throw CryptoError(.libraryFailure, "no leaf") }
        log.append(leaf.bytes)
        log.append(otherLeaf.bytes)
        for _ in 0..<after { log.append(RandomDebate.bytes(40, &random)) }
        let pair = keys.pairs.current
        let seen = 1 + Int64(random.next() % UInt64(log.size))
        let proof = log.proof(of: before, under: log.size, after: seen, pair)
        let excerpts = Self.excerpts(mine, &random)
        let events =
            form == .redactedEvents || form == .redactedWhole
            ? mine.events.map { random.next() % 2 == 0 ? $0.withoutContent : $0 } : mine.events
        let bundle =
            switch form {
            case .bare: ReceiptBundle(receipt: mine.receipt)
            case .redacted: ReceiptBundle(receipt: redacted)
            case .events: ReceiptBundle(receipt: mine.receipt, events: events)
            case .redactedEvents: ReceiptBundle(receipt: redacted, events: events)
            case .excerpts: ReceiptBundle(receipt: redacted, excerpts: excerpts, log: proof)
            case .whole: ReceiptBundle(receipt: mine.receipt, events: events, log: proof)
            case .redactedWhole: ReceiptBundle(receipt: redacted, events: events, log: proof)
            }
        let isLogged = bundle.log != nil
        bytes = form == .bare ? mine.receipt.bytes : CanonicalJSON.encode(try JSONParser.parse(bundle.bytes))
        trusted = isLogged ? log.head(ofSize: seen, pair) : nil
        let rival = ReceiptBundle(
            receipt: other.receipt, events: other.events, excerpts: Self.excerpts(other, &random),
            log: log.proof(of: before + 1, under: log.size, after: seen, pair))
        let earlier = max(before + 1, seen - 1)
        var foreign = try JSONParser.parse(rival.bytes).object ?? JSONObject()
        // A roll-back: a head that was true once, with a proof that was valid then.
        if let old = log.proof(of: before, under: earlier, after: nil, pair), earlier < log.size {
            foreign["log_before"] = try JSONParser.parse(ReceiptBundle(receipt: mine.receipt, log: old).bytes)["log"]
        }
        self.foreign = foreign
    }

    private static func excerpts(_ debate: RandomDebate, _ random: inout SeededRandom) -> [ReceiptBundle.Excerpt] {
        var (frontier, nodes) = (MerkleFrontier(), [MerkleNode.Place: [UInt8]]())
        for event in debate.events {
            for node in frontier.append(MerkleTree.leaf(event.hash)) { nodes[node.place] = node.hash }
        }
        return debate.events.compactMap { event in
            guard random.next() % 3 == 0 || event.seq == 1 else { return nil }
            let proof = MerkleProof.inclusion(of: event.seq - 1, in: frontier.size)
            return proof?.path(nodes).map {
                .init(event: random.next() % 2 == 0 ? event : event.withoutContent, path: $0)
            }
        }
    }

    /// How far a file was found to prove what it says.
    package struct Verdict: Sendable, Equatable {
        package let isProven: Bool
        /// Which receipt it is: another one that is good as well is not what was asked about.
        package let receipt: String
        package let chain: String
        package let log: String
        package static let refused = Verdict(isProven: false, receipt: "", chain: "", log: "")
    }

    /// What the verifier says of `file`, with both kinds of keys.
    package static func judge(_ file: [UInt8], _ trusted: TreeHead?, _ verifier: ReceiptVerifier) -> Verdict {
        guard let bundle = try? ReceiptBundle.parse(file), let found = try? verifier.verify(bundle, after: trusted),
            found.isProven
        else { return .refused }
        let chain =
            switch found.chain {
            case .valid: "valid"
            case .validExcerpts(let count): "excerpts \(count)"
            case .notChecked, .broken, .different: "none"
            }
        var log = "none"
        if case .valid(let index, let size, _, _) = found.inclusion { log = "\(index) of \(size)" }
        return Verdict(isProven: true, receipt: found.receiptID.text, chain: chain, log: log)
    }
}
