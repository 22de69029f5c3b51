import Crypto
import Ledger
import Testing

@Suite("Merkle trees of RFC 6962")
struct MerkleTests {
    /// The eight leaves and the roots that implementations of RFC 6962 are compared by.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    /// The definition, word by word.
    private func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        guard leaves.count > 1 else { return leaves.first ?? MerkleTree.emptyRoot }
        var left = 1
        while left * 2 < leaves.count { left *= 2 }
        let middle = leaves.startIndex + left
        return MerkleTree.node(root(leaves[..<middle]), root(leaves[middle...]))
    }

    private struct Grown {
        var leaves: [[UInt8]] = []
        var roots: [[UInt8]] = [MerkleTree.emptyRoot]
        var nodes: [MerkleNode.Place: [UInt8]] = [:]

        init(_ count: Int) {
            var frontier = MerkleFrontier()
            for number in 0..<count {
                leaves.append(MerkleTree.leaf([UInt8(truncatingIfNeeded: number), UInt8(number >> 8)]))
                for node in frontier.append(leaves[number]) { nodes[node.place] = node.hash }
                roots.append(frontier.root)
            }
        }
    }

    @Test("the roots are those of other implementations")
    func known() throws {
        var frontier = MerkleFrontier()
        #expect(Hex.encode(frontier.root) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        for (leaf, root) in zip(Self.leaves, Self.roots) {
            frontier.append(MerkleTree.leaf(try #require(Hex.decode(leaf))))
            #expect(Hex.encode(frontier.root) == root)
        }
    }

    @Test("a grown tree has the root that the definition gives, and goes on from what is stored of it")
    func grown() throws {
        let tree = Grown(300)
        for size in 0...300 { #expect(tree.roots[size] == root(tree.leaves[..<size])) }
        var frontier = MerkleFrontier()
        for leaf in tree.leaves {
            frontier.append(leaf)
            frontier = try #require(MerkleFrontier(size: frontier.size, hashes: frontier.hashes))
            #expect(frontier.hashes.count == frontier.size.nonzeroBitCount)
        }
        #expect(frontier.root == tree.roots[300])
        #expect(MerkleFrontier(size: 3, hashes: [tree.leaves[0]]) == nil)
        #expect(MerkleFrontier(size: 1, hashes: [[1]]) == nil)
        #expect(MerkleFrontier(size: -1, hashes: []) == nil)
    }

    @Test("every leaf of every tree up to 130 is proven, and no other leaf, place or size by the same proof")
    func inclusion() throws {
        let tree = Grown(130)
        for size in 1...130 {
            for index in 0..<size {
                let proof = try #require(MerkleProof.inclusion(of: Int64(index), in: Int64(size)))
                let path = try #require(proof.path(tree.nodes))
                func holds(_ leaf: [UInt8], _ index: Int, _ size: Int, _ path: [[UInt8]], _ root: [UInt8]) -> Bool {
                    MerkleProof.includes(leaf: leaf, index: Int64(index), size: Int64(size), path: path, root: root)
                }
                #expect(holds(tree.leaves[index], index, size, path, tree.roots[size]))
                #expect(!holds(tree.leaves[(index + 1) % 130], index, size, path, tree.roots[size]))
                #expect(!holds(tree.leaves[index], index, size, path, tree.roots[size - 1]))
                #expect(!holds(tree.leaves[index], index, size, path + [tree.leaves[0]], tree.roots[size]))
                if size > 1 {
                    #expect(!holds(tree.leaves[index], (index + 1) % size, size, path, tree.roots[size]))
                    #expect(!holds(tree.leaves[index], index, size, Array(path.dropLast()), tree.roots[size]))
                }
            }
            #expect(MerkleProof.inclusion(of: Int64(size), in: Int64(size)) == nil)
        }
        #expect(MerkleProof.inclusion(of: -1, in: 3) == nil)
    }

    @Test("every tree up to 130 is proven to begin with every smaller one, and with no other")
    func consistency() throws {
        let tree = Grown(130)
        for size in 1...130 {
            for first in 1...size {
                let proof = try #require(MerkleProof.consistency(from: Int64(first), to: Int64(size)))
                let path = try #require(proof.path(tree.nodes))
                func holds(_ firstRoot: [UInt8], _ root: [UInt8], _ path: [[UInt8]]) -> Bool {
                    MerkleProof.extends(
                        first: Int64(first), firstRoot: firstRoot, size: Int64(size), root: root, path: path)
                }
                #expect(holds(tree.roots[first], tree.roots[size], path))
                #expect(!holds(tree.roots[first - 1], tree.roots[size], path))
                #expect(!holds(tree.roots[first], tree.roots[size - 1], path))
                #expect(!holds(tree.roots[first], tree.roots[size], path + [tree.leaves[0]]))
                if !path.isEmpty { #expect(!holds(tree.roots[first], tree.roots[size], Array(path.dropLast()))) }
            }
        }
        #expect(MerkleProof.consistency(from: 0, to: 5) == nil)
        #expect(MerkleProof.consistency(from: 6, to: 5) == nil)
    }

    @Test("a proof says so when a hash it is made of is missing")
    func missing() throws {
        let proof = try #require(MerkleProof.inclusion(of: 2, in: 7))
        #expect(proof.path([:]) == nil)
        #expect(Set(proof.places).count == proof.places.count)
    }
}
