// PostgresClient lands here.
