// Tests of Storage land here.
