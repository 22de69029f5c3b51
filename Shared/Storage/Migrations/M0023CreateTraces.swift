/// Which trace a debate belongs to.
enum M0023CreateTraces {
    static let sql = """
        -- compatible
        -- Reason: whoever runs a debate, or takes it over, goes on with the trace of the request that asked for it.
        -- Lock: ACCESS EXCLUSIVE on debate_runs for a moment; no row is written. An older process leaves it empty.

        -- As W3C Trace Context writes it: trace, span and flags.
        ALTER TABLE debate_runs ADD COLUMN traceparent text COLLATE "C" CHECK (octet_length(traceparent) <= 55) NOT NULL DEFAULT '';
        """
}
