/// How much two texts have in common: shared words over all words (Jaccard), whatever their order, case and number.
enum WordSimilarity {
    /// Words of each text that count; what follows is left out, so that the cost is bounded whatever a model writes.
    static let maxWords = 4_000

    /// The different words of a text, read once to be compared with several.
    struct Words: Hashable, Sendable {
        /// Ascending.
        fileprivate let hashes: [UInt64]
        init(_ text: String) { hashes = WordSimilarity.words(of: text) }
        private init(hashes: [UInt64]) { self.hashes = hashes }

        static let none = Words(hashes: [])

        func shared(with other: Words) -> Words { Words(hashes: hashes.filter(other.contains)) }
        func without(_ other: Words) -> Words {
            other.hashes.isEmpty ? self : Words(hashes: hashes.filter { !other.contains($0) })
        }

        private func contains(_ hash: UInt64) -> Bool {
            var (low, high) = (0, hashes.count)
            while low < high {
                let middle = (low + high) / 2
                if hashes[middle] < hash { low = middle + 1 } else { high = middle }
            }
            return low < hashes.count && hashes[low] == hash
        }

        /// 0 (nothing shared) to 1 (the same set of words; also when neither has any).
        func similarity(to other: Words) -> Ratio {
            let (a, b) = (hashes, other.hashes)
            var (i, j, shared) = (0, 0, 0)
            while i < a.count, j < b.count {
                if a[i] == b[j] { shared += 1 }
                let step = (a[i] <= b[j], b[j] <= a[i])
                if step.0 { i += 1 }
                if step.1 { j += 1 }
            }
            let all = a.count + b.count - shared
            return all == 0 ? .one : Ratio(shared, of: all)
        }
    }

    /// 0 (nothing shared) to 1 (the same set of words; also when neither has any).
    static func between(_ left: String, _ right: String) -> Ratio { Words(left).similarity(to: Words(right)) }

    /// A 64-bit FNV-1a hash per different word, ascending. A word is a run of letters, digits and non-ASCII bytes.
    private static func words(of text: String) -> [UInt64] {
        var hashes: [UInt64] = []
        var hash = FNV1a()
        var isInside = false
        func close() {
            if isInside { hashes.append(hash.value) }
            (hash, isInside) = (FNV1a(), false)
        }
        for byte in text.utf8 {
            guard let folded = fold(byte) else {
                close()
                if hashes.count == maxWords { break }
                continue
            }
            hash.add(folded)
            isInside = true
        }
        close()
        hashes.sort()
        return hashes.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    private static func fold(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte | 0x20
        case 0x61...0x7a, 0x30...0x39, 0x80...: byte
        default: nil
        }
    }
}
