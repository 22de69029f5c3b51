// Tests of Platform land here.
