// Providers lands here.
