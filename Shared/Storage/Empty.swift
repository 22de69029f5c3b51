// Storage lands here.
