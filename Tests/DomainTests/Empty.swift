// Tests of Domain land here.
