// Tests of HTTP land here.
