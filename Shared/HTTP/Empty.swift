// HTTP lands here.
