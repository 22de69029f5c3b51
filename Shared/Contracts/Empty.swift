// Contracts lands here.
