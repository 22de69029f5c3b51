// Tests of Ledger land here.
