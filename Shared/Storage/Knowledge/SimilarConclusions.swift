import Domain
import PostgresClient

/// The look for conclusions on similar questions, in one statement whose cost hardly grows with what is known.
///
/// How frequent a word is comes from the statistics that ANALYZE keeps of `asked` anyway: a word that is not among its most
/// common ones is rare. Candidates have one of the rarest words, as many as lead to about `maxCandidates` items, or two of
/// the next ones; when every word is too frequent for that, the three rarest together, among the newest items. Then all
/// words count, by their rarity.
enum SimilarConclusions {
    /// What less of the question's words than this, weighed by how rare they are, occur in is not similar.
    static let minScore = 0.35
    /// Items that are weighed at most.
    static let maxCandidates = 200
    /// The newest items, among which those with frequent words are looked for: the index would gather every item there is
    /// that has them, before the first of them is weighed.
    static let maxRecent = 1000
    /// Words of a question that count, the rarest first.
    static let maxWords = 32
    /// Words in a smaller share of the items than this weigh the same: that nobody used a word before says little.
    static let rareShare = 0.01
    /// Words in a larger share than this are looked for only when there are no others.
    static let frequentShare = 0.2

    /// The most similar first, one for each question, the newest.
    static func select(
        _ question: String, in organization: OrganizationID, demo: Bool, maxAgeDays: Int, limit: Int
    ) -> SQL {
        """
        WITH word AS MATERIALIZED (
            SELECT lexeme, share, ln(1 + 1 / greatest(share, \(rareShare))) AS weight, quote_literal(lexeme) AS quoted,
                   quote_literal(lexeme)::tsquery AS query,
                   sum(share) OVER (ORDER BY share, lexeme) * greatest(items, 0) <= \(maxCandidates) AS is_rare,
                   row_number() OVER (ORDER BY share, lexeme) AS place
            FROM (
                SELECT w.lexeme, least(coalesce(c.share, 0), 0.9)::float8 AS share, t.reltuples AS items
                FROM pg_class t CROSS JOIN unnest(to_tsvector('english', \(question))) AS w LEFT JOIN (
                    SELECT u.lexeme, u.share FROM pg_stats s,
                           unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS u (lexeme, share)
                    WHERE s.schemaname = (SELECT relnamespace::regnamespace::text FROM pg_class
                                          WHERE oid = 'knowledge_items'::regclass)
                      AND s.tablename = 'knowledge_items' AND s.attname = 'asked'
                ) AS c ON c.lexeme = w.lexeme
                WHERE t.oid = 'knowledge_items'::regclass
                ORDER BY share, w.lexeme LIMIT \(maxWords)
            ) AS counted
        ), middle AS (
            SELECT quoted, place FROM word WHERE NOT is_rare AND share <= \(frequentShare) ORDER BY place LIMIT 4
        ), query AS MATERIALIZED (
            -- Read once, for every candidate is compared with them. Of the two, one is null.
            SELECT nullif(any_of, '')::tsquery AS any_of, CASE any_of WHEN '' THEN all_of END::tsquery AS all_of, weight FROM (
                SELECT coalesce(
                       concat_ws(' | ', string_agg(quoted, ' | ') FILTER (WHERE is_rare), (
                           SELECT string_agg('(' || a.quoted || ' & ' || b.quoted || ')', ' | ')
                           FROM middle a JOIN middle b ON a.place < b.place
                       )), '') AS any_of,
                   string_agg(quoted, ' & ') FILTER (WHERE place <= 3) AS all_of, sum(weight) AS weight
                FROM word) AS wanted
        ), candidate AS MATERIALIZED (
            SELECT k.id, k.question, k.asked, k.created_at
            FROM query JOIN knowledge_items k ON k.asked @@ query.any_of
            WHERE k.org_id = \(organization.text) AND k.kind = 'conclusion' AND (NOT k.demo OR \(demo))
              AND k.created_at > now() - \(maxAgeDays) * interval '1 day'
            LIMIT \(maxCandidates)
        ), recent AS MATERIALIZED (
            SELECT k.id, k.question, k.asked, k.created_at
            FROM query CROSS JOIN LATERAL (
                SELECT * FROM knowledge_items i WHERE i.org_id = \(organization.text) AND query.all_of IS NOT NULL
                ORDER BY i.created_at DESC, i.id DESC LIMIT \(raw: String(maxRecent))
            ) AS k
            WHERE k.asked @@ query.all_of AND k.kind = 'conclusion' AND (NOT k.demo OR \(demo))
              AND k.created_at > now() - \(maxAgeDays) * interval '1 day'
            LIMIT \(maxCandidates)
        ), newest AS (
            SELECT DISTINCT ON (lower(c.question)) c.id, c.asked, c.created_at
            FROM (TABLE candidate UNION ALL TABLE recent) AS c ORDER BY lower(c.question), c.created_at DESC
        ), scored AS (
            SELECT c.id, c.created_at,
                   (SELECT sum(word.weight) FROM word WHERE c.asked @@ word.query) / (SELECT weight FROM query) AS score
            FROM newest c
        )
        SELECT \(raw: KnowledgeRows.columns) FROM (
            SELECT * FROM scored WHERE score >= \(minScore) ORDER BY score DESC, created_at DESC, id LIMIT \(limit)
        ) AS best JOIN knowledge_items k ON k.id = best.id
        ORDER BY best.score DESC, best.created_at DESC, k.id
        """
    }
}
