#ifndef ARAGORA_CLIBPQ_H
#define ARAGORA_CLIBPQ_H
#include <postgresql/libpq-fe.h>
#endif
