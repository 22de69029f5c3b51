/// What a person types into a search box, as a text search query: every word must occur, as the beginning of one.
enum SearchText {
    /// Words that count; more are ignored.
    static let maxWords = 16

    /// Only letters and digits get through, quoted, so the text can not be read as an operator. A text without any finds
    /// nothing.
    static func query(_ text: String) -> String {
        text.split { !$0.isLetter && !$0.isNumber }.prefix(maxWords).map { "'\($0)':*" }.joined(separator: " & ")
    }
}
