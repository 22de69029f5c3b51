// Tests of RedisClient land here.
