/// Who signs in at an identity provider.
enum M0022CreateSignOn {
    static let sql = """
        -- compatible
        -- Reason: single sign-on: attempts that are under way, and whose account is whose elsewhere.
        -- Lock: none on tables that have rows, but for the reference to users: SHARE ROW EXCLUSIVE for a moment.

        -- A browser that was sent to the provider. Nothing here is secret: both are digests of what only the browser has.
        CREATE TABLE sign_on_attempts (
            state_digest   bytea PRIMARY KEY CHECK (octet_length(state_digest) = 32),
            browser_digest bytea NOT NULL CHECK (octet_length(browser_digest) = 32),
            expires_at     timestamptz(3) NOT NULL
        );
        CREATE INDEX sign_on_attempts_expires_at ON sign_on_attempts (expires_at);

        -- A person elsewhere is the issuer's subject, never an address: addresses are given to others.
        CREATE TABLE user_identities (
            issuer       text COLLATE "C" NOT NULL,
            subject      text COLLATE "C" NOT NULL,
            user_id      text COLLATE "C" NOT NULL REFERENCES users (id),
            created_at   timestamptz(3) NOT NULL DEFAULT now(),
            last_used_at timestamptz(3) NOT NULL DEFAULT now(),
            PRIMARY KEY (issuer, subject)
        );
        CREATE INDEX user_identities_user ON user_identities (user_id);
        """
}
