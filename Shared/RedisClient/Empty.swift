// RedisClient lands here.
