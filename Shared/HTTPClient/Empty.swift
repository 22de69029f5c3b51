// HTTPClient lands here.
