/// How agents do against each other.
enum M0010CreateRatings {
    static let sql = """
        -- compatible
        -- Reason: ratings of agents, each made by the matches before it; written by the transaction that ends a debate.
        -- Lock: none, all tables are new.

        -- A debate that completed with votes. Numbers have no gaps: who writes one holds an advisory lock to the commit.
        CREATE TABLE matches (
            number    bigint PRIMARY KEY CHECK (number >= 1),
            debate_id text COLLATE "C" NOT NULL REFERENCES debates (id),
            rated_at  timestamptz(3) NOT NULL,
            -- The agent's name in the debate; null when nothing was decided.
            winner    text,
            demo      boolean NOT NULL,
            -- Mean confidence of the votes that were cast for others.
            weight    numeric(6, 4) NOT NULL CHECK (weight BETWEEN 0 AND 1),
            -- The rules of that day.
            initial   integer NOT NULL,
            k_factor  integer NOT NULL,
            CONSTRAINT matches_one_per_debate UNIQUE (debate_id)
        );

        -- Who took part, with what ratings are made from: they can be made again when a debate's texts are erased.
        CREATE TABLE match_agents (
            number        bigint NOT NULL REFERENCES matches (number) ON DELETE CASCADE,
            seat          integer NOT NULL CHECK (seat >= 1),
            name          text NOT NULL,
            provider      text COLLATE "C" NOT NULL,
            model         text COLLATE "C" NOT NULL,
            votes         integer NOT NULL CHECK (votes >= 0),
            result        text NOT NULL CHECK (result IN ('win', 'loss', 'draw')),
            squared_error numeric(6, 4) CHECK (squared_error BETWEEN 0 AND 1),
            kept          boolean,
            elo_before    numeric(12, 4) NOT NULL,
            elo_after     numeric(12, 4) NOT NULL,
            PRIMARY KEY (number, seat)
        );

        -- A few rows, updated by every match: no index but the key, and room on the page.
        CREATE TABLE agent_ratings (
            provider       text COLLATE "C" NOT NULL,
            model          text COLLATE "C" NOT NULL,
            elo            numeric(12, 4) NOT NULL,
            matches        bigint NOT NULL CHECK (matches >= 1),
            wins           bigint NOT NULL,
            losses         bigint NOT NULL,
            draws          bigint NOT NULL,
            squared_errors numeric(16, 4) NOT NULL,
            forecasts      bigint NOT NULL,
            kept           bigint NOT NULL,
            comparable     bigint NOT NULL,
            -- The newest match.
            last_match     bigint NOT NULL,
            PRIMARY KEY (provider, model)
        ) WITH (fillfactor = 50);
        """
}
