// Tests of EndToEnd land here.
