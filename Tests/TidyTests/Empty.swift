// Tests of Tidy land here.
