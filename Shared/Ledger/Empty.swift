// Ledger lands here.
