// Tests of HTTPClient land here.
