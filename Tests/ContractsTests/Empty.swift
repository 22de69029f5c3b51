// Tests of Contracts land here.
