// Tests of PostgresClient land here.
