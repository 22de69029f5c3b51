/* OpenSSL 3: EVP digests, MACs, Ed25519, random, and TLS for our client transports. Function-like macros get a typed inline form. */
#ifndef ARAGORA_CLIBCRYPTO_H
#define ARAGORA_CLIBCRYPTO_H
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

static inline long clibcrypto_set_tlsext_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline long clibcrypto_set_mode(SSL *ssl, long mode) { return SSL_set_mode(ssl, mode); }
static inline long clibcrypto_ctx_set_min_proto(SSL_CTX *ctx, int version) { return SSL_CTX_set_min_proto_version(ctx, version); }

/* A socket BIO whose writes can not raise SIGPIPE (OpenSSL's own calls write(2)); everything else is OpenSSL's. */
static inline int clibcrypto_send(BIO *bio, const char *data, int length) {
    int fd = -1;
    BIO_get_fd(bio, &fd);
    BIO_clear_retry_flags(bio);
    int sent = (int)send(fd, data, (size_t)length, MSG_NOSIGNAL);
    if (sent <= 0 && BIO_sock_should_retry(sent)) BIO_set_retry_write(bio);
    return sent;
}
/* Made once per context; freed with BIO_meth_free after the last connection that uses it. NULL without memory. */
static inline BIO_METHOD *clibcrypto_socket_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket, no SIGPIPE");
    if (method == NULL) return NULL;
    BIO_meth_set_write(method, clibcrypto_send);
    BIO_meth_set_read(method, BIO_meth_get_read(BIO_s_socket()));
    BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(BIO_s_socket()));
    BIO_meth_set_create(method, BIO_meth_get_create(BIO_s_socket()));
    BIO_meth_set_destroy(method, BIO_meth_get_destroy(BIO_s_socket()));
    return method;
}
static inline void clibcrypto_bio_set_fd(BIO *bio, int fd) { BIO_set_fd(bio, fd, BIO_NOCLOSE); }

/* TLS 1.2 or later, no renegotiation, no compression; writes may be partial and retried from another buffer. */
static inline int clibcrypto_ctx_prepare_client(SSL_CTX *ctx) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return (int)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}
#endif
