/* hiredis as a codec: its reply reader and command formatter; sockets are ours. */
#ifndef ARAGORA_CHIREDIS_H
#define ARAGORA_CHIREDIS_H
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#endif
