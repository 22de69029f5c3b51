/* Publishing and watching: one log in Postgres, two publishers (the second after a takeover, the first may be a zombie),
 * a stream and a channel in Redis that lose everything at any time, a stale stream of another log, one viewer's cursor.
 *
 *   spin -a watch.pml && gcc -O1 -w -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Deliberate faults, each must be found (spin -a -D<name> watch.pml):
 *   SKIP         an event beyond the next one is sent instead of filling the gap from the log
 *   REPEAT       an event before the next one is sent again
 *   NO_POLL      nobody compares with the log from time to time: what the channel lost is never seen
 *   TRUST_CACHE  a cached run is taken without comparing where it ends with what Postgres said
 *   BLIND_XADD   the publisher adds behind whatever the stream has
 */
#define N 4                    /* events of the log */
#ifndef LOSSES
#define LOSSES 2               /* times Redis loses all it has */
#endif
#define OURS 1
#define OTHERS 2               /* an event of another log: same number, another hash */

byte last;                     /* Postgres: events 1..last, append only */
byte st[N+2];                  /* Redis stream: 0 nothing, whose event it is */
byte slast;                    /* its last id */
byte losses;
chan live = [2] of { byte };   /* the channel, as the gateway's connection has it: event numbers, all of our log */
bool subscribed;
byte seen;                     /* what the viewer got: 1..seen */

inline forget() { st[1] = 0; st[2] = 0; st[3] = 0; st[4] = 0; slast = 0 }
inline clear() { do :: live ? [_] -> live ? _ :: else -> break od }

/* what leaves the socket, with what must hold of it */
inline deliver(s_, whose_) {
  assert(s_ == seen+1);        /* no gap, no repetition, no reordering */
  assert(whose_ == OURS);      /* of this log */
  seen = s_
}

/* PublishCursor.next and the script of EventStream.publish, for one event */
proctype Publisher() {
  byte pub;                    /* published; 255 is "not known" */
  byte s;
  pub = 255;
loop:
  do
  :: atomic { pub == 255 -> pub = (slast <= last -> slast : 0);       /* EventStream.tail, PublishCursor.located */
#ifndef BLIND_XADD
       if :: slast > last || (slast > 0 && st[slast] == OTHERS) -> forget(); pub = 0 :: else fi   /* ahead or different: deleted */
#endif
     }
  :: atomic { pub < last ->
       s = pub+1;
       if
#ifndef BLIND_XADD
       :: s <= slast && st[s] != OURS -> forget(); pub = 0             /* conflict */
       :: s == slast+1 && slast > 0 && st[slast] != OURS -> forget(); pub = 0
#endif
       :: s <= slast && st[s] == OURS -> pub = s                       /* is there already */
       :: s == slast+1 && (slast == 0 || st[slast] == OURS) ->
            st[s] = OURS; slast = s; pub = s;
            if :: subscribed && nfull(live) -> live ! s :: skip fi     /* PUBLISH: to who is there, and even that may be lost */
#ifdef BLIND_XADD
       :: s == slast+1 && slast > 0 && st[slast] != OURS ->
            assert(st[slast] == OURS);                                 /* a run that is not one log */
            st[s] = OURS; slast = s; pub = s
       :: s <= slast && st[s] != OURS -> pub = s
#endif
       :: s > slast+1 -> pub = slast                                   /* gap: from there on */
       fi }
  :: atomic { pub == last && last == N && slast == N && st[N] == OURS && st[1] == OURS -> break }
  :: atomic { pub != 255 && pub == last && slast < pub && losses > 0 ->   /* the next publication hears "gap" */
       pub = slast }
  od
}

proctype Writer() {
  do :: atomic { last < N -> last++ } :: last == N -> break od
}

proctype Redis() {
end:
  do
  :: atomic { losses < LOSSES -> losses++; forget(); clear(); subscribed = false }
  :: losses == LOSSES -> break
  od
}

/* Hub, Subscription and FeedCursor of one viewer */
proctype Viewer() {
  byte target, s;
subscribe:
  atomic { clear(); subscribed = true }                                /* LiveFeed, confirmed */
  target = last;                                                       /* one query: where the log ends, and its hash */
  do                                                                   /* replay */
  :: seen < target ->
       atomic {
         if
#ifdef TRUST_CACHE
         :: st[seen+1] != 0 -> deliver((seen+1), st[seen+1])
#else
         /* EventStream.cached, and LogSource: the run must reach the hash that Postgres named */
         :: st[seen+1] == OURS && slast >= target && st[target] == OURS -> deliver((seen+1), OURS)
#endif
         :: deliver((seen+1), OURS)                                    /* PostgresLogSource */
         fi
       }
  :: else -> break
  od;
  do
  :: atomic { live ? s ->
       if
       :: s < seen+1 ->                                                /* FeedCursor.step: drop */
#ifdef REPEAT
            deliver(s, OURS)
#else
            skip
#endif
       :: s == seen+1 -> deliver(s, OURS)
       :: s > seen+1 ->                                                /* fill */
#ifdef SKIP
            deliver(s, OURS)
#else
            do :: seen < s -> deliver((seen+1), OURS) :: else -> break od
#endif
       fi }
#ifndef NO_POLL
  :: atomic { seen < last -> deliver((seen+1), OURS) }                 /* Hub+Poll: the log is ahead of what was sent */
#endif
  :: !subscribed -> goto subscribe                                     /* RedisLiveSource came back: the same order again */
  :: atomic { seen == N -> break }
  od
}

init {
  atomic {
    if :: skip
       :: st[1] = OTHERS; slast = 1                                    /* a stale stream, shorter, */
       :: st[1] = OURS; st[2] = OTHERS; slast = 2                      /* forked, */
       :: st[1] = OTHERS; st[2] = OTHERS; st[3] = OTHERS; st[4] = OTHERS; slast = 4   /* or ahead */
    fi;
    last = 1;
    run Writer(); run Publisher(); run Publisher(); run Redis(); run Viewer()
  }
  /* when nothing can move any more */
  timeout ->
    assert(last == N && seen == N);                                    /* the viewer has everything */
    assert(slast == 0 || (st[slast] == OURS && st[1] == OURS))         /* the cache is the log's */
}
