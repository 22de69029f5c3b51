// Tests of Providers land here.
