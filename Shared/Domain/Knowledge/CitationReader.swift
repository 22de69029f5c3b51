/// Finds the labels of earlier conclusions that a text cites: `[K1]`, `[K1, K3]`, `[k2]`.
package enum CitationReader {
    /// Scalars between the brackets that are looked at; more is no citation.
    private static let maxInside = 32

    /// The labels among `known` that the text cites.
    package static func labels(in text: String, known: Set<String>) -> Set<String> {
        var found: Set<String> = []
        guard !known.isEmpty else { return found }
        var inside: String.UnicodeScalarView?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "[": inside = .init()
            case "]":
                if let words = inside { found.formUnion(labels(words).filter(known.contains)) }
                inside = nil
            default:
                inside?.append(scalar)
                if (inside?.count ?? 0) > maxInside { inside = nil }
            }
        }
        return found
    }

    private static func labels(_ inside: String.UnicodeScalarView) -> [String] {
        inside.split { $0 == "," || $0 == ";" || $0 == " " }.map { String($0).uppercased() }
    }
}
