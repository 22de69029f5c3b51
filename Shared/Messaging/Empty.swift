// Messaging lands here.
