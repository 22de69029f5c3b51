// Tests of Service land here.
