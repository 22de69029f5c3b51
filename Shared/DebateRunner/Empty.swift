// DebateRunner lands here.
