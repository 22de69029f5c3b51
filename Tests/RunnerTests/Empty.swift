// Tests of Runner land here.
