/// Every fault that has a code, by subject: what docs/troubleshooting.md lists.
package enum FaultCatalogue {
    package static let groups: [(subject: String, faults: [Fault])] = [
        (
            "Postgres",
            [
                .postgresUnreachable, .postgresPassword, .postgresDatabase, .postgresSlots, .migrationMissing,
                .schemaNewer, .schemaForeign, .clientOlder, .clockSkew, .postgresAnswer,
            ]
        ),
        (
            "Redis",
            [
                .redisUnreachable, .redisPassword, .redisEviction, .redisNoAppendOnly, .redisMemory,
                .redisConfigRefused, .redisStale, .redisReplica,
            ]
        ),
        (
            "Settings and secrets",
            [
                .settingMalformed, .settingMissing, .secretPlaceholder, .tokenMissing, .tokenShort, .jwtSecretShort,
                .encryptionKeyShort, .receiptKeyMissing, .receiptKeyShort, .originsOpen, .cookiesInsecure,
                .proxiesOpen, .redisRequired, .secretUnreadable,
                .secretsOfPreviousKey,
            ]
        ),
        (
            "Certificate",
            [
                .certificateExpired, .certificateName, .certificateKey, .certificateUnreadable, .certificateEndsSoon,
            ]
        ),
        (
            "Model providers",
            [
                .providerMissing, .providerKeyRefused, .providerUnreachable,
            ]
        ),
        (
            "Debates",
            [
                .workerMissing, .bellMissing, .deadLetters,
            ]
        ),
        (
            "Backups",
            [
                .backupOld, .backupFailed, .backupMissing,
            ]
        ),
        (
            "Host",
            [
                .diskFull, .folderReadOnly, .folderMissing, .descriptorsFew, .portTaken, .serviceNotReady,
            ]
        ),
    ]

    package static let all = groups.flatMap(\.faults)
}

extension Fault {
    // MARK: 1 Postgres

    package static let postgresUnreachable = Fault(
        101, .broken, "Postgres does not answer: host, port, network or server",
        fix: "start Postgres, or correct host and port in ARAGORA_POSTGRES_DSN")
    package static let postgresPassword = Fault(
        102, .broken, "Postgres refuses user or password",
        fix: "correct the password in ARAGORA_POSTGRES_DSN, or set the role's: ALTER ROLE aragora PASSWORD '…'")
    package static let postgresDatabase = Fault(
        103, .broken, "the database does not exist",
        fix: "correct the database's name in ARAGORA_POSTGRES_DSN, or make it: createdb")
    package static let postgresSlots = Fault(
        104, .broken, "Postgres has no free connection",
        fix: "lower ARAGORA_DB_POOL_SIZE (each process has that many), or raise Postgres's max_connections")
    package static let migrationMissing = Fault(
        105, .broken, "the schema lacks migrations of this version", fix: "run: aragora db migrate")
    package static let schemaNewer = Fault(
        106, .broken, "the schema belongs to a newer version",
        fix: "install the version that migrated this database; a schema never goes back")
    package static let schemaForeign = Fault(
        107, .broken, "the schema's history is not the one of this version",
        fix: "compare the table schema_migrations with the release notes; restore a backup if it was edited by hand")
    package static let clientOlder = Fault(
        108, .broken, "pg_dump is older than the server, so that backups fail",
        fix: "install the server's client version (Debian: postgresql-client-<server's version>)")
    package static let clockSkew = Fault(
        109, .broken, "this machine's clock and Postgres's differ",
        fix: "synchronise both clocks (chrony or systemd-timesyncd): tokens expire by one and leases by the other")
    package static let postgresAnswer = Fault(
        110, .broken, "Postgres is reached, and refuses", fix: "read Postgres's own log for the reason")

    // MARK: 2 Redis

    package static let redisUnreachable = Fault(
        201, .broken, "Redis does not answer: host, port, network or server",
        fix: "start Redis, or correct host and port in ARAGORA_REDIS_URL")
    package static let redisPassword = Fault(
        202, .broken, "Redis refuses user or password",
        fix: "correct the password in ARAGORA_REDIS_URL; it is Redis's requirepass, or its ACL user's")
    package static let redisEviction = Fault(
        203, .broken, "Redis may evict keys that have no time to live",
        fix: "set: maxmemory-policy volatile-lru")
    package static let redisNoAppendOnly = Fault(
        204, .advice, "Redis has no append-only file: a restart empties it",
        fix: "set: appendonly yes; without it every restart fills the caches from Postgres again")
    package static let redisMemory = Fault(
        205, .broken, "Redis is out of memory, or nearly, and may evict nothing: it refuses writes",
        fix: "raise maxmemory (REDIS_MAXMEMORY), and see what fills it: redis-cli --bigkeys")
    package static let redisConfigRefused = Fault(
        206, .advice, "Redis refuses CONFIG, so that not everything could be checked",
        fix: "allow it (ACL +config|get), or look at the provider's console for what could not be checked")
    package static let redisStale = Fault(
        207, .advice, "Redis holds copies of another log: of a generation or database before this one",
        fix: "nothing reads them; to be rid of them: stop the services, redis-cli FLUSHDB, start the services")
    package static let redisReplica = Fault(
        208, .broken, "Redis is a read-only replica", fix: "set ARAGORA_REDIS_URL to the primary")

    // MARK: 3 Settings and secrets

    package static let settingMalformed = Fault(
        301, .broken, "a setting's value can not be used", fix: "correct it as docs/configuration.md says")
    package static let settingMissing = Fault(
        302, .broken, "a setting that must be there is missing", fix: "set it as docs/configuration.md says")
    package static let secretPlaceholder = Fault(
        303, .broken, "a secret is still the template's placeholder",
        fix: "make one: openssl rand -hex 32; a provider's key comes from the provider")
    package static let tokenMissing = Fault(
        304, .broken, "no API token in production", fix: "make one: openssl rand -hex 32")
    package static let tokenShort = Fault(
        305, .broken, "the API token is shorter than 32 characters", fix: "make one: openssl rand -hex 32")
    package static let jwtSecretShort = Fault(
        306, .broken, "the JWT secret is shorter than 32 characters", fix: "make one: openssl rand -hex 32")
    package static let encryptionKeyShort = Fault(
        307, .broken, "the encryption key is not 64 hex digits", fix: "make one: openssl rand -hex 32")
    package static let receiptKeyMissing = Fault(
        308, .advice, "no receipt signing key: receipts carry a checksum only",
        fix: "set ARAGORA_RECEIPT_SIGNING_KEY; make one: openssl rand -hex 32")
    package static let receiptKeyShort = Fault(
        309, .broken, "the receipt signing key is shorter than 32 characters", fix: "make one: openssl rand -hex 32")
    package static let originsOpen = Fault(
        310, .broken, "every origin is allowed", fix: "list the origins of your pages in ARAGORA_ALLOWED_ORIGINS")
    package static let cookiesInsecure = Fault(
        311, .broken, "cookies would travel without TLS", fix: "remove ARAGORA_COOKIE_SECURE, or set it to true")
    package static let proxiesOpen = Fault(
        312, .broken, "X-Forwarded-For is believed from everywhere",
        fix: "list the networks of your proxies in ARAGORA_TRUSTED_PROXIES")
    package static let redisRequired = Fault(
        313, .broken, "several instances are to share a Redis that is not set", fix: "set ARAGORA_REDIS_URL")
    package static let secretUnreadable = Fault(
        314, .broken, "stored secrets open with no key that is set",
        fix:
            "set the key that sealed them as ARAGORA_ENCRYPTION_KEY_PREVIOUS, then run: aragora keys rotate; without it their owners set them anew"
    )
    package static let secretsOfPreviousKey = Fault(
        315, .advice, "stored secrets are under a previous key still",
        fix: "run: aragora keys rotate; until then the previous key must stay set")

    // MARK: 4 Certificate

    package static let certificateExpired = Fault(
        401, .broken, "the certificate is outside its validity", fix: "renew it (certbot renew), then reload nginx")
    package static let certificateName = Fault(
        402, .broken, "the certificate is for another name",
        fix: "get a certificate for ARAGORA_DOMAIN, or correct ARAGORA_DOMAIN")
    package static let certificateKey = Fault(
        403, .broken, "the private key does not belong to the certificate",
        fix: "put the key that the certificate was made with into ARAGORA_TLS_KEY_FILE")
    package static let certificateUnreadable = Fault(
        404, .broken, "certificate or key can not be read",
        fix: "correct ARAGORA_TLS_CERT_FILE, or the files' permissions")
    package static let certificateEndsSoon = Fault(
        405, .advice, "the certificate ends within 14 days", fix: "renew it (certbot renew), then reload nginx")

    // MARK: 5 Model providers

    package static let providerMissing = Fault(
        501, .broken, "no model provider has a key",
        fix: "set one key, for example ANTHROPIC_API_KEY, or ARAGORA_DEMO_FALLBACK=true for the built-in agents")
    package static let providerKeyRefused = Fault(
        502, .broken, "a model provider refuses its key", fix: "make a new key in the provider's console and set it")
    package static let providerUnreachable = Fault(
        503, .broken, "a model provider does not answer",
        fix: "look at outgoing network, proxy and the provider's status page; correct its _BASE_URL")

    // MARK: 6 Debates

    package static let workerMissing = Fault(
        601, .broken, "no process runs debates",
        fix: "start a worker (docker compose --profile workers up -d), or set ARAGORA_EMBEDDED_RUNNER=auto")
    package static let bellMissing = Fault(
        602, .broken, "debates wait that no entry of the Redis stream announces",
        fix: "start or restart a worker: its first sweep claims what waits in Postgres, announced or not")
    package static let deadLetters = Fault(
        603, .advice, "debates were given up: the dead stream has entries",
        fix: "read why: aragora queue dead; ask for them again: aragora queue requeue --all"
    )

    // MARK: 7 Backups

    package static let backupOld = Fault(
        701, .broken, "the newest verified backup is too old",
        fix: "start aragora-backup (docker compose --profile backup up -d), or run: aragora backup create")
    package static let backupFailed = Fault(
        702, .broken, "the last backup failed", fix: "mend the reason given, then run: aragora backup create")
    package static let backupMissing = Fault(
        703, .advice, "there is no backup yet", fix: "run: aragora backup create")

    // MARK: 8 Host

    package static let diskFull = Fault(
        801, .broken, "a disk is nearly full", fix: "free or add space; old backups go by BACKUP_RETENTION_DAYS")
    package static let folderReadOnly = Fault(
        802, .broken, "a folder of ours can not be written",
        fix: "give it to the services' user (chown), or mount it read-write")
    package static let folderMissing = Fault(
        803, .broken, "a folder of ours does not exist", fix: "make it, owned by the services' user: mkdir -p")
    package static let descriptorsFew = Fault(
        804, .advice, "few file descriptors are allowed, and each connection needs one",
        fix: "raise the limit to 65535: ulimit -n, LimitNOFILE= (systemd), ulimits (compose)")
    package static let portTaken = Fault(
        805, .broken, "another program listens on a port of ours",
        fix:
            "stop it (ss -ltnp says who), or choose another port with ARAGORA_PORT, ARAGORA_WS_PORT, ARAGORA_METRICS_PORT"
    )
    package static let serviceNotReady = Fault(
        806, .broken, "the API runs and is not ready", fix: "read the reason that /readyz gives, and the API's log")
}
