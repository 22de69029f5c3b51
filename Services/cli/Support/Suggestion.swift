/// What a mistyped word may have meant.
enum Suggestion {
    /// Changes of one character that are still taken for a slip.
    static let maxDistance = 2

    /// `; did you mean x?`, or nothing when no word is near.
    static func sentence(for word: String, among known: [String]) -> String {
        nearest(to: word, among: known).map { "; did you mean \($0)?" } ?? ""
    }

    static func nearest(to word: String, among known: [String]) -> String? {
        let ranked = known.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
        if let ranked, ranked.1 <= min(maxDistance, max(1, word.count / 2)) { return ranked.0 }
        let begun = known.filter { word.count >= 3 && $0.hasPrefix(word) }
        return begun.count == 1 ? begun[0] : nil
    }

    /// Levenshtein: insertions, deletions and replacements of one character.
    static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.unicodeScalars), Array(other.unicodeScalars))
        var row = Array(0...other.count)
        for (i, left) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in other.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
