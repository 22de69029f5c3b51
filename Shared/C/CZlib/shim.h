#ifndef ARAGORA_CZLIB_H
#define ARAGORA_CZLIB_H
#include <zlib.h>
static inline int czlib_inflate_init_gzip(z_stream *s) { return inflateInit2(s, 15 + 16); }
static inline int czlib_deflate_init_gzip(z_stream *s, int level) { return deflateInit2(s, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY); }
/* Raw deflate, as RFC 7692 sends it: no header, no checksum. */
static inline int czlib_inflate_init_raw(z_stream *s) { return inflateInit2(s, -15); }
static inline int czlib_deflate_init_raw(z_stream *s, int level, int window_bits) { return deflateInit2(s, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY); }
#endif
