/* OpenSSL 3: EVP digests, MACs, Ed25519, random, and TLS for our client transports. Function-like macros get a typed inline form. */
#ifndef ARAGORA_CLIBCRYPTO_H
#define ARAGORA_CLIBCRYPTO_H
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline long clibcrypto_set_tlsext_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline long clibcrypto_set_mode(SSL *ssl, long mode) { return SSL_set_mode(ssl, mode); }
static inline long clibcrypto_ctx_set_min_proto(SSL_CTX *ctx, int version) { return SSL_CTX_set_min_proto_version(ctx, version); }
#endif
