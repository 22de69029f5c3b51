import PostgresClient

/// What a person types into a search box, as a text search query: every word must occur, as the beginning of one.
enum SearchText {
    /// Words that count; more are ignored.
    static let maxWords = 16

    /// A debate's question or context, or its title or answer, has every word.
    static func condition(_ text: String) -> SQL {
        let query: SQL = "to_tsquery('simple', \(query(text)))"
        return "(d.search @@ \(query) OR \(raw: answers) @@ \(query))"
    }

    /// As `debates_search_answers` has it.
    static let answers = "to_tsvector('simple', coalesce(d.title, '') || ' ' || coalesce(d.final_answer, ''))"

    /// Only letters and digits get through, quoted, so the text can not be read as an operator. A text without any finds
    /// nothing.
    static func query(_ text: String) -> String {
        text.split { !$0.isLetter && !$0.isNumber }.prefix(maxWords).map { "'\($0)':*" }.joined(separator: " & ")
    }
}
