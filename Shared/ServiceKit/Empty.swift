// ServiceKit lands here.
