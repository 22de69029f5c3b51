import Crypto

/// The hashes of a Merkle tree as RFC 6962 §2.1 makes them. These can never change: heads and receipts depend on them.
package enum MerkleTree {
    /// Bytes of a hash.
    package static let hashLength = 32
    /// The root of a tree without leaves.
    package static let emptyRoot = SHA256.hash([])

    /// The hash of a leaf. The first byte keeps leaves and nodes apart.
    package static func leaf(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash([0], bytes) }

    /// The hash of two halves.
    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { SHA256.hash([1], left, right) }
}

/// The hash of a complete part of a tree: 2^level leaves, the first of them number index × 2^level.
package struct MerkleNode: Sendable, Hashable {
    /// Where it stands.
    package struct Place: Sendable, Hashable {
        package let level: Int
        package let index: Int64

        package init(level: Int, index: Int64) {
            self.level = level
            self.index = index
        }
    }

    package let place: Place
    package let hash: [UInt8]
}

/// All of a growing tree that its next root depends on: at most 63 hashes, however many leaves it has.
package struct MerkleFrontier: Sendable, Equatable {
    package private(set) var size: Int64
    /// Of the complete parts, the largest first: one for each bit of `size`.
    package private(set) var hashes: [[UInt8]]

    /// A tree without leaves.
    package init() {
        size = 0
        hashes = []
    }

    /// Continues a stored tree.
    /// - Returns: nil when these hashes can not be those of a tree of this size.
    package init?(size: Int64, hashes: [[UInt8]]) {
        guard size >= 0, hashes.count == size.nonzeroBitCount,
            hashes.allSatisfy({ $0.count == MerkleTree.hashLength })
        else { return nil }
        self.size = size
        self.hashes = hashes
    }

    /// Adds a leaf.
    /// - Parameter hash: ``MerkleTree/leaf(_:)`` of its bytes.
    /// - Returns: the parts that are complete now, from the leaf upwards: what proofs are made of.
    @discardableResult
    package mutating func append(_ hash: [UInt8]) -> [MerkleNode] {
        var made = [MerkleNode(place: .init(level: 0, index: size), hash: hash)]
        var level = 0
        while size >> Int64(level) & 1 == 1 {
            let left = hashes.removeLast()
            level += 1
            made.append(
                MerkleNode(
                    place: .init(level: level, index: size >> Int64(level)),
                    hash: MerkleTree.node(left, made[made.count - 1].hash)))
        }
        hashes.append(made[made.count - 1].hash)
        size += 1
        return made
    }

    /// The root of the tree as it stands.
    package var root: [UInt8] { Self.fold(hashes) ?? MerkleTree.emptyRoot }

    /// The hash of complete parts side by side, the largest first; nil for none.
    static func fold(_ hashes: [[UInt8]]) -> [UInt8]? {
        guard var hash = hashes.last else { return nil }
        for left in hashes.dropLast().reversed() { hash = MerkleTree.node(left, hash) }
        return hash
    }
}
