/// Proofs about a tree: which stored hashes they are made of, and whether one holds (RFC 6962 §2.1, RFC 9162 §2.1.3, §2.1.4).
package struct MerkleProof: Sendable, Equatable {
    /// A proof has one step for each: each is made of the complete parts of these places, the largest first.
    package let steps: [[MerkleNode.Place]]

    /// That leaf `index` is in the tree of the first `size` leaves.
    /// - Returns: nil when it can not be.
    package static func inclusion(of index: Int64, in size: Int64) -> MerkleProof? {
        guard index >= 0, index < size else { return nil }
        var (start, count, steps): (Int64, Int64, [[MerkleNode.Place]]) = (0, size, [])
        while count > 1 {
            let left = split(count)
            if index - start < left {
                steps.append(parts(from: start + left, count: count - left))
                count = left
            } else {
                steps.append(parts(from: start, count: left))
                (start, count) = (start + left, count - left)
            }
        }
        return MerkleProof(steps: steps.reversed())
    }

    /// That the tree of the first `size` leaves begins with the tree of the first `first`.
    /// - Returns: nil unless 0 < `first` ≤ `size`.
    package static func consistency(from first: Int64, to size: Int64) -> MerkleProof? {
        guard first > 0, first <= size else { return nil }
        var (start, count, steps): (Int64, Int64, [[MerkleNode.Place]]) = (0, size, [])
        var isWhole = true
        while first - start != count {
            let left = split(count)
            if first - start <= left {
                steps.append(parts(from: start + left, count: count - left))
                count = left
            } else {
                steps.append(parts(from: start, count: left))
                (start, count, isWhole) = (start + left, count - left, false)
            }
        }
        if !isWhole { steps.append(parts(from: start, count: count)) }
        return MerkleProof(steps: steps.reversed())
    }

    /// Every hash that the proof is made of.
    package var places: [MerkleNode.Place] { steps.flatMap { $0 } }

    /// The proof itself.
    /// - Returns: nil when a hash is missing.
    package func path(_ hashes: [MerkleNode.Place: [UInt8]]) -> [[UInt8]]? {
        var path: [[UInt8]] = []
        for step in steps {
            let found = step.compactMap { hashes[$0] }
            guard found.count == step.count, let hash = MerkleFrontier.fold(found) else { return nil }
            path.append(hash)
        }
        return path
    }

    /// The largest power of two below `count`, which is 2 or more.
    private static func split(_ count: Int64) -> Int64 { 1 << (63 - Int64((count - 1).leadingZeroBitCount)) }

    private static func parts(from start: Int64, count: Int64) -> [MerkleNode.Place] {
        var (start, count, places): (Int64, Int64, [MerkleNode.Place]) = (start, count, [])
        while count > 0 {
            let level = 63 - count.leadingZeroBitCount
            places.append(.init(level: level, index: start >> Int64(level)))
            start += 1 << Int64(level)
            count -= 1 << Int64(level)
        }
        return places
    }

    // MARK: Checking

    /// Whether `path` proves that `leaf` is leaf `index` of the tree of `size` leaves with this root.
    /// - Parameter leaf: its hash.
    package static func includes(
        leaf: [UInt8], index: Int64, size: Int64, path: [[UInt8]], root: [UInt8]
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var (place, last, hash) = (index, size - 1, leaf)
        for step in path {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                hash = MerkleTree.node(step, hash)
                while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                hash = MerkleTree.node(hash, step)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }

    /// Whether `path` proves that the tree of `size` leaves begins with that of `first`.
    package static func extends(
        first: Int64, firstRoot: [UInt8], size: Int64, root: [UInt8], path: [[UInt8]]
    ) -> Bool {
        guard first > 0, first <= size else { return false }
        guard first < size else { return path.isEmpty && firstRoot == root }
        var steps = path[...]
        var (place, last) = (first - 1, size - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        // A complete first tree is its own beginning; its root is not sent.
        guard let start = place == 0 ? firstRoot : steps.popFirst() else { return false }
        var (older, newer) = (start, start)
        for step in steps {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                (older, newer) = (MerkleTree.node(step, older), MerkleTree.node(step, newer))
                while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                newer = MerkleTree.node(newer, step)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && older == firstRoot && newer == root
    }
}
