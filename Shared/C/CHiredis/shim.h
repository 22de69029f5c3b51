/* hiredis as a codec: its reply reader; sockets are ours. */
#ifndef ARAGORA_CHIREDIS_H
#define ARAGORA_CHIREDIS_H
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#include <stdlib.h>

/* hiredis allocates an array before it has seen its elements: this table refuses one of more than a limit. */
typedef struct chiredis_bounded {
    redisReplyObjectFunctions functions;
    redisReplyObjectFunctions *base;
    int max_elements;
} chiredis_bounded;

/* Returning NULL makes the reader fail with "Out of memory". */
static inline void *chiredis_create_array(const redisReadTask *task, int elements) {
    chiredis_bounded *bounded = (chiredis_bounded *)task->privdata;
    return elements > bounded->max_elements ? NULL : bounded->base->createArray(task, elements);
}

static inline redisReader *chiredis_reader_create(int max_elements) {
    redisReader *reader = redisReaderCreate();
    chiredis_bounded *bounded = (chiredis_bounded *)malloc(sizeof(chiredis_bounded));
    if (reader == NULL || bounded == NULL) {
        if (reader != NULL) redisReaderFree(reader);
        free(bounded);
        return NULL;
    }
    bounded->base = reader->fn;
    bounded->functions = *reader->fn;
    bounded->functions.createArray = chiredis_create_array;
    bounded->max_elements = max_elements;
    reader->fn = &bounded->functions;
    reader->privdata = bounded;
    return reader;
}

static inline void chiredis_reader_free(redisReader *reader) {
    chiredis_bounded *bounded = (chiredis_bounded *)reader->privdata;
    redisReaderFree(reader);
    free(bounded);
}

static inline const char *chiredis_reader_error(const redisReader *reader) { return reader->errstr; }
#endif
