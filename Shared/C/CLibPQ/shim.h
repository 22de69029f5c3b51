#ifndef ARAGORA_CLIBPQ_H
#define ARAGORA_CLIBPQ_H
#include <postgresql/libpq-fe.h>

/* From OpenSSL, which libpq links; under a name of its own, so that CLibCrypto's declaration stays the only one. */
extern int clibpq_ssl_pending(const void *ssl) __asm__("SSL_pending");

/* Decrypted bytes that no descriptor event will announce; 0 without TLS. */
static inline int clibpq_tls_pending(PGconn *connection) {
    void *ssl = PQsslInUse(connection) ? PQsslStruct(connection, "OpenSSL") : 0;
    return ssl ? clibpq_ssl_pending(ssl) : 0;
}
#endif
