/// The tables of a transcript that users know, read from the log.
enum M0005CreateTranscriptViews {
    static let sql = """
        -- compatible
        -- Reason: messages, critiques and votes are the log seen from another side; a second copy could disagree with it.
        -- Lock: none, views only. An erased event keeps its row, without text.

        CREATE VIEW debate_messages AS
            SELECT debate_id, row_number() OVER (PARTITION BY debate_id ORDER BY seq) - 1 AS idx, seq, round,
                   coalesce(agent, body ->> 'agent', body ->> 'author') AS agent,
                   coalesce(body ->> 'role', CASE type WHEN 'user_message' THEN 'user' ELSE 'proposer' END) AS role,
                   CASE type WHEN 'agent_message' THEN 'propose' WHEN 'revision' THEN 'revise' ELSE 'intervention' END
                       AS phase,
                   body ->> 'content' AS content, at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type IN ('agent_message', 'revision', 'user_message');

        CREATE VIEW critiques AS
            SELECT debate_id, seq, round, agent, body ->> 'target_agent' AS target_agent, body ->> 'content' AS content,
                   (body ->> 'score')::numeric AS severity, at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type = 'critique';

        CREATE VIEW votes AS
            SELECT debate_id, seq, round, agent, body ->> 'choice' AS choice, body ->> 'reasoning' AS reasoning,
                   (body ->> 'confidence')::numeric AS confidence, (body ->> 'continue_debate')::boolean AS continue_debate,
                   at AS ts
            FROM debate_events,
                 LATERAL (SELECT CASE WHEN octet_length(data) > 0 THEN convert_from(data, 'UTF8')::jsonb END AS body) AS parsed
            WHERE type = 'vote';
        """
}
