/// Who may come in, and what was done.
enum M0013CreateAccounts {
    static let sql = """
        -- compatible
        -- Reason: users, organizations, sessions, API keys, revocations, and the audit log.
        -- Lock: none on tables that have rows, but for the index of debates: creates wait about a second per million.

        CREATE TABLE organizations (
            id         text COLLATE "C" PRIMARY KEY,
            name       text NOT NULL CHECK (name <> ''),
            slug       text COLLATE "C" NOT NULL,
            created_at timestamptz(3) NOT NULL DEFAULT now(),
            CONSTRAINT organizations_slug_key UNIQUE (slug)
        );
        INSERT INTO organizations (id, name, slug) VALUES ('org_default', 'Default', 'default');

        CREATE TABLE users (
            id               text COLLATE "C" PRIMARY KEY,
            -- In lower case: the same address must not register twice.
            email            text NOT NULL CHECK (email = lower(email)),
            name             text NOT NULL,
            -- Null for who signs in elsewhere, or has not chosen one.
            password_hash    text,
            org_id           text COLLATE "C" NOT NULL REFERENCES organizations (id),
            role             text NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
            is_active        boolean NOT NULL DEFAULT true,
            email_verified   boolean NOT NULL DEFAULT false,
            -- Raised by what must end every session: a credential with a lower one is refused.
            token_version    bigint NOT NULL DEFAULT 1,
            mfa_enabled      boolean NOT NULL DEFAULT false,
            mfa_secret       bytea,
            -- The last step whose code was taken: each is good once.
            mfa_last_step    bigint,
            mfa_backup_codes bytea[] NOT NULL DEFAULT '{}',
            created_at       timestamptz(3) NOT NULL DEFAULT now(),
            updated_at       timestamptz(3) NOT NULL DEFAULT now(),
            last_login_at    timestamptz(3),
            CONSTRAINT users_email_key UNIQUE (email),
            CONSTRAINT users_mfa_has_secret CHECK (NOT mfa_enabled OR mfa_secret IS NOT NULL)
        );
        CREATE INDEX users_org_id ON users (org_id, id);

        CREATE TABLE sessions (
            id           text COLLATE "C" PRIMARY KEY,
            user_id      text COLLATE "C" NOT NULL REFERENCES users (id),
            -- Of the newest refresh token, the only one that is good; an older one that comes again ends the session.
            generation   bigint NOT NULL DEFAULT 1,
            created_at   timestamptz(3) NOT NULL DEFAULT now(),
            last_used_at timestamptz(3) NOT NULL DEFAULT now(),
            expires_at   timestamptz(3) NOT NULL,
            ip_address   text NOT NULL,
            user_agent   text NOT NULL,
            revoked_at   timestamptz(3),
            revoked_for  text,
            CONSTRAINT sessions_revoked_for_a_reason CHECK ((revoked_at IS NULL) = (revoked_for IS NULL))
        );
        CREATE INDEX sessions_user ON sessions (user_id, created_at DESC);
        CREATE INDEX sessions_expires_at ON sessions (expires_at);

        CREATE TABLE api_keys (
            id           text COLLATE "C" PRIMARY KEY,
            user_id      text COLLATE "C" NOT NULL REFERENCES users (id),
            name         text NOT NULL,
            -- What lists show.
            prefix       text COLLATE "C" NOT NULL,
            -- HMAC of the whole key under a key that is not in this database.
            digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
            -- Null for all that the user may.
            scopes       text[],
            created_at   timestamptz(3) NOT NULL DEFAULT now(),
            expires_at   timestamptz(3),
            -- Written at most once a minute.
            last_used_at timestamptz(3),
            revoked_at   timestamptz(3),
            CONSTRAINT api_keys_digest_key UNIQUE (digest)
        );
        CREATE INDEX api_keys_user ON api_keys (user_id, created_at DESC);

        CREATE TABLE password_resets (
            digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
            user_id    text COLLATE "C" NOT NULL REFERENCES users (id),
            created_at timestamptz(3) NOT NULL DEFAULT now(),
            expires_at timestamptz(3) NOT NULL
        );
        CREATE INDEX password_resets_user ON password_resets (user_id);

        -- What is refused although its text is good. Every process holds the live ones in memory.
        CREATE TABLE revoked_tokens (
            kind       text NOT NULL CHECK (kind IN ('session', 'token', 'key', 'user')),
            value      text COLLATE "C" NOT NULL,
            -- Of a user: the lowest token version that is still good.
            version    bigint NOT NULL DEFAULT 0,
            revoked_at timestamptz(3) NOT NULL DEFAULT now(),
            -- When what it refuses would have ended by itself.
            expires_at timestamptz(3) NOT NULL,
            PRIMARY KEY (kind, value)
        );
        CREATE INDEX revoked_tokens_revoked_at ON revoked_tokens (revoked_at);

        -- Failed sign-ins by account and by address; an account need not exist to have some.
        CREATE TABLE login_failures (
            kind         text NOT NULL CHECK (kind IN ('account', 'address')),
            subject      text COLLATE "C" NOT NULL,
            failures     integer NOT NULL,
            last_at      timestamptz(3) NOT NULL DEFAULT now(),
            locked_until timestamptz(3),
            PRIMARY KEY (kind, subject)
        );
        CREATE INDEX login_failures_last_at ON login_failures (last_at);

        -- One chain an organization. The row is locked by who appends, and says where the chain begins since retention.
        CREATE TABLE audit_heads (
            org_id        text COLLATE "C" PRIMARY KEY REFERENCES organizations (id),
            first_seq     bigint NOT NULL DEFAULT 1,
            -- The hash before first_seq.
            base_hash     bytea NOT NULL CHECK (octet_length(base_hash) = 32),
            last_seq      bigint NOT NULL DEFAULT 0,
            last_hash     bytea NOT NULL CHECK (octet_length(last_hash) = 32),
            -- While it is set, nothing of this chain is removed.
            legal_hold    boolean NOT NULL DEFAULT false,
            CONSTRAINT audit_heads_in_order CHECK (first_seq >= 1 AND last_seq >= first_seq - 1)
        );

        CREATE TABLE audit_log (
            org_id        text COLLATE "C" NOT NULL REFERENCES audit_heads (org_id),
            seq           bigint NOT NULL CHECK (seq >= 1),
            at            timestamptz(3) NOT NULL,
            action        text NOT NULL,
            -- For finding; the truth is the document, whose bytes are hashed.
            actor         text NOT NULL,
            resource_type text NOT NULL,
            resource_id   text,
            document      bytea NOT NULL,
            prev_hash     bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
            hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
            PRIMARY KEY (org_id, seq)
        );
        CREATE INDEX audit_log_at ON audit_log (org_id, at);

        CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('aragora.audit_retention', true) = 'on' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the audit log is append only' USING ERRCODE = 'integrity_constraint_violation';
        END $body$;
        CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW
            EXECUTE FUNCTION refuse_audit_change();
        CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_audit_change();

        -- What was made before there were organizations belongs to the default one.
        CREATE INDEX debates_org ON debates ((coalesce(org_id, 'org_default')), created_at DESC, id DESC);
        CREATE INDEX receipts_org ON receipts ((coalesce(org_id, 'org_default')), created_at DESC, id DESC);
        """
}
