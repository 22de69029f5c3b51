// Tests of Sockets land here.
