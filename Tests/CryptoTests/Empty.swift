// Tests of Crypto land here.
