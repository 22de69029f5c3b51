/* Calls of one phase, side by side: their intents are one transaction, their answers come in any order, what is ready
 * becomes events in one append, and what is not is left to the next holder.
 *
 *   spin -a phase.pml && gcc -O1 -w -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Deliberate faults, each must be found (spin -a -D<name> phase.pml):
 *   NO_CHECK       the intent of a next attempt does not look for an answer under the lock
 *   NO_FENCE       an append does not check its epoch
 *   KEEP_INTENTS   a claim leaves intents of older epochs open
 *   EARLY          the phase ends when anything was heard, not when everything was
 */
#define NK 3
#define NA 4                   /* attempts: 1..NA-1 */
#ifndef CRASH
#define CRASH 1
#endif
#ifndef SPUR
#define SPUR 1
#endif
#define NONE 0
#define INTENT 1
#define ANS 2
#define UNK 3
#define ROW(k,a) ((k)*NA + (a))
#define ANSWERED(k) (st[ROW(k,1)]==ANS || st[ROW(k,2)]==ANS || st[ROW(k,3)]==ANS)

byte epoch, owner, term, ncons;
byte st[NK*NA], ie[NK*NA];     /* agent_calls */
byte cons[NK];                 /* events that consumed an answer of the key */
byte sent[NK], top[NK];
byte taken, crash, spur;
bool open_;                    /* an intent of an older epoch was seen after a claim had begun */

proctype Runner(byte r) {
  byte my, k, n;
  byte fl[NK];                 /* in flight: the attempt */
  bool rdy[NK];                /* answered, in memory */
  byte att[NK];
claim:
  atomic { k = 0; do :: k < NK -> fl[k] = 0; rdy[k] = false; att[k] = 0; k++ :: else -> break od; k = 0; my = 0; n = 0 };
  if
  :: atomic { term == 0 && (owner == 0 || owner == r || (owner != r && spur < SPUR)) ->
       if :: owner != 0 && owner != r -> spur++ :: else fi;
       if :: epoch > 0 -> taken++ :: else fi;
       epoch++; owner = r; my = epoch }
  :: atomic { term != 0 -> goto fin }
  fi;
  atomic {                                                             /* PostgresRunStore.begin, CallRows.giveUpIntents */
    if :: epoch != my || term != 0 -> goto claim
       :: epoch == my && term == 0 ->
#ifndef KEEP_INTENTS
          k = 0;
          do :: k < NK*NA -> if :: st[k] == INTENT && ie[k] < my -> st[k] = UNK :: else fi; k++ :: else -> break od;
#endif
          k = 0
    fi };
  atomic {                                                             /* CallHistory: what is stored is reused */
    k = 0;
    do :: k < NK ->
            n = 1;
            do :: n < NA -> if :: st[ROW(k,n)] == ANS && att[k] == 0 -> rdy[k] = true; att[k] = n :: else fi; n++ :: else -> break od;
            k++
       :: else -> break od;
    k = 0; n = 0 };
intents:
  if
  :: atomic { true ->                                                  /* PaidIntents, one transaction for all that is due */
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
             k = 0;
             do :: k < NK ->
                     if
                     :: cons[k] == 0 && !rdy[k] && fl[k] == 0 &&
#ifndef NO_CHECK
                        !ANSWERED(k) &&
#endif
                        top[k] + 1 < NA ->
                          assert(!ANSWERED(k));                        /* an answered call gets no new intent */
                          top[k]++; st[ROW(k,top[k])] = INTENT; ie[ROW(k,top[k])] = my; fl[k] = top[k]
#ifndef NO_CHECK
                     :: cons[k] == 0 && !rdy[k] && fl[k] == 0 && ANSWERED(k) ->       /* a late answer: take it */
                          n = 1;
                          do :: n < NA -> if :: st[ROW(k,n)] == ANS && !rdy[k] -> rdy[k] = true; att[k] = n :: else fi; n++ :: else -> break od
#endif
                     :: else
                     fi;
                     k++
                :: else -> break od;
             k = 0; n = 0
       fi }
  :: atomic { crash < CRASH -> crash++; goto claim }
  fi;
calls:
  do
  :: atomic { fl[0] != 0 && att[0] != fl[0] -> k = 0; att[k] = fl[k]; sent[k]++; assert(sent[k] <= 1 + taken) }   /* the request leaves */
  :: atomic { fl[1] != 0 && att[1] != fl[1] -> k = 1; att[k] = fl[k]; sent[k]++; assert(sent[k] <= 1 + taken) }
  :: atomic { fl[2] != 0 && att[2] != fl[2] -> k = 2; att[k] = fl[k]; sent[k]++; assert(sent[k] <= 1 + taken) }
  :: atomic { fl[0] != 0 && att[0] == fl[0] -> rdy[0] = true; fl[0] = 0 }           /* its answer comes */
  :: atomic { fl[1] != 0 && att[1] == fl[1] -> rdy[1] = true; fl[1] = 0 }
  :: atomic { fl[2] != 0 && att[2] == fl[2] -> rdy[2] = true; fl[2] = 0 }
  :: atomic { rdy[0] || rdy[1] || rdy[2] ->                                         /* PostgresEventLog.append: all that is ready */
       k = 0;
       do :: k < NK ->                                                              /* outcomes are facts: stored in any case */
               if :: rdy[k] && (st[ROW(k,att[k])] == INTENT || st[ROW(k,att[k])] == UNK) -> st[ROW(k,att[k])] = ANS :: else fi; k++
          :: else -> break od;
#ifdef NO_FENCE
       if :: true ->
#else
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
#endif
             k = 0;
             do :: k < NK ->
                     if :: rdy[k] && cons[k] == 0 -> cons[k]++; ncons++; assert(st[ROW(k,att[k])] == ANS)
#ifdef NO_FENCE
                        :: rdy[k] && cons[k] > 0 -> cons[k]++
#endif
                        :: else fi;
                     assert(cons[k] <= 1);                                          /* one event per key */
                     rdy[k] = false; k++
                :: else -> break od
       fi;
       k = 0 }
  :: atomic { fl[0] == 0 && fl[1] == 0 && fl[2] == 0 && !rdy[0] && !rdy[1] && !rdy[2] && ncons < NK && top[0]+top[1]+top[2] < NK*(NA-1) -> goto intents }
#ifdef EARLY
  :: atomic { ncons > 0 ->
#else
  :: atomic { ncons == NK ->
#endif
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
             assert(ncons == NK);                                                   /* the next phase needs all of this one */
             k = 0;
             do :: k < NK*NA -> assert(st[k] != INTENT || ie[k] == my); k++ :: else -> break od;
             k = 0;
             do :: k < NK*NA -> if :: st[k] == INTENT -> st[k] = UNK :: else fi; k++ :: else -> break od;
             term = 1; owner = 0
       fi;
       goto fin }
  :: atomic { crash < CRASH -> crash++; goto claim }
  :: atomic { term != 0 -> goto fin }
  od;
fin:
  skip
}

init {
  atomic { run Runner(1); run Runner(2) }
  timeout -> assert(term == 1 && cons[0] == 1 && cons[1] == 1 && cons[2] == 1)
}
