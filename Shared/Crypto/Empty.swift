// Crypto lands here.
