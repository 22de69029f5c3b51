/* Fenced event log: 2 runners, 1 canceller, 1 debate, 2 calls.  README.md says which statement each step is.
 *
 *   spin -a -DCRASH=1 -DSPUR=1 -DLOST=1 append.pml && gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m400000 -w26
 *                                                                                  safety and "never stuck": 4.9 M states, 11 s
 *   spin -a -DLIVE -DCRASH=1 -DSPUR=1 -DLOST=0 append.pml && gcc -O2 -w -DNFAIR=5 -DCOLLAPSE -o pan pan.c && ./pan -a -f -m400000 -N live
 *                                                                                  a terminal state is reached, weak fairness
 *
 * SIGSTOP is any delay between two steps. Takeover is free while the owner is dead; SPUR takeovers hit a live owner.
 * A transaction's answer may be lost after it committed, or while it is still in flight and commits (or not) later.
 * Deliberate faults, each must be found (spin -a -D<name> append.pml):
 *   NO_FENCE         append does not check the epoch
 *   BLIND            pipelined append: events are inserted although UPDATE matched zero rows
 *   NO_TAIL          UPDATE checks epoch and terminal only (not last_seq, last_hash); seq taken from the row
 *   NO_INTENT_FENCE  intents are written as unfenced facts
 *   NO_ANSWER_CHECK  the intent of a next attempt does not look for an answer under the row's lock
 *   NO_RECONCILE     a claim whose answer was lost is not found again by its owner
 *   NO_CANCEL_SETTLE cancel leaves intents of the old holder as they are
 *   STRICT           no request at all leaves after an answer is stored: NOT promised, a woken zombie can do it once
 */
#ifndef CRASH
#define CRASH 2                 /* kills, both runners together; each is followed by a restart */
#endif
#ifndef SPUR
#define SPUR 1                  /* takeovers from a live owner (freeze, partition, wrong suspicion) */
#endif
#ifndef LOST
#define LOST 2                  /* lost answers */
#endif
#define NK 2
#define NA 8                    /* attempts per call */
#define NS 16                   /* log slots */
/* agent_calls.state */
#define NONE 0
#define INTENT 1
#define ANS 2
#define UNK 3
/* event kinds; code = epoch, kind, call, attempt: stands for the event's hash */
#define CREATED 1
#define ABN 2
#define MSG 3
#define END 4
#define CODE(e,kd,k,a) ((e)*128 + (kd)*16 + (k)*8 + (a))
#define ISEND(c) ((((c)/16)%8) == END)
#define ROW(k,a) ((k)*NA + (a))

/* Postgres */
byte epoch, owner, term, last_seq, ncons;
short last_hash, lg[NS];
byte st[NK*NA], ie[NK*NA], top[NK];          /* calls: state, epoch of the intent, highest attempt */
byte cons[NK];                               /* ghost: times consumed by an event */
/* world */
bool alive[3];
byte crash, spur, lost, taken, issued[NK], sent[NK*NA];
typedef Tx { bool on; byte e, s, kd, k, a; short p, c };
Tx pend[3];                                  /* a transaction still in flight after its connection died */

#define ANSWERED(k) (st[ROW(k,1)]==ANS || st[ROW(k,2)]==ANS || st[ROW(k,3)]==ANS || st[ROW(k,4)]==ANS || st[ROW(k,5)]==ANS || st[ROW(k,6)]==ANS || st[ROW(k,7)]==ANS)

#ifdef NO_FENCE
#define HOLDS(e) true
#else
#define HOLDS(e) (epoch == (e) && term == 0)
#endif
#ifdef NO_TAIL
#define TAIL(s,p) true
#else
#define TAIL(s,p) (last_seq+1 == (s) && last_hash == (p))
#endif

/* the insert, with what must hold for every event ever stored */
inline insert(e_, s_, p_, c_, kd_, k_) {
  assert(e_ == epoch);                       /* who lost the epoch appends nothing */
  assert(term == 0);                         /* nothing after the end */
  assert(s_ == last_seq+1 && lg[s_] == 0);   /* gapless, no second event with this seq */
  assert(p_ == lg[s_-1] && p_ == last_hash); /* one chain, no fork */
  lg[s_] = c_; last_seq = s_; last_hash = c_;
  if :: kd_ == MSG -> cons[k_]++; ncons++; assert(cons[k_] == 1 && st[ROW(k_,(c_)%8)] == ANS)
     :: else fi
}

/* one append transaction; r_: 1 done, 0 zero rows, 2 the call was answered meanwhile (nothing written) */
inline execute(e_, s_, p_, c_, kd_, k_, a_, r_) {
  d_step {
    if :: kd_ == MSG && (st[ROW(k_,a_)] == INTENT || st[ROW(k_,a_)] == UNK) -> st[ROW(k_,a_)] = ANS   /* a fact: not fenced */
       :: else fi;
    if :: HOLDS(e_) && TAIL(s_,p_) && kd_ == ABN && st[ROW(k_,a_)] != INTENT -> r_ = 2
       :: HOLDS(e_) && TAIL(s_,p_) && !(kd_ == ABN && st[ROW(k_,a_)] != INTENT) ->
          if :: kd_ == ABN -> st[ROW(k_,a_)] = UNK :: else fi;
#ifdef NO_TAIL
          insert(e_, (last_seq+1), p_, c_, kd_, k_);
#else
          insert(e_, s_, p_, c_, kd_, k_);
#endif
          if :: kd_ == END -> assert(term == 0); term = 1; owner = 0 :: else fi;
          r_ = 1
       :: else ->
#ifdef BLIND
          if :: lg[s_] == 0 -> insert(e_, s_, p_, c_, kd_, k_) :: else fi;
#endif
          r_ = 0
    fi
  }
}

#define KILL :: crash < CRASH -> crash++; goto dead

proctype Runner(byte r) {
  byte my, ls, k, a, kd, s, res; short lh, p, c;

idle:
  atomic {
    my = 0; ls = 0; k = 0; a = 0; kd = 0; s = 0; res = 0; lh = 0; p = 0; c = 0;
    if
    :: term != 0 -> goto fin
    :: term == 0 && (owner == 0 || !alive[owner]
#ifndef NO_RECONCILE
         || owner == r
#endif
         || (owner != r && spur < SPUR)) ->
       if :: owner != 0 && owner != r && alive[owner] -> spur++ :: else fi;
       if :: epoch > 0 -> taken++ :: else fi;
       epoch++; owner = r;                               /* claim or adoption commits */
       if :: my = epoch
          :: lost < LOST -> lost++; goto idle            /* its answer is lost */
       fi
    fi
  }
  atomic { ls = last_seq; lh = last_hash; k = ncons }     /* replay */
look:
  atomic {
    if :: k == NK -> kd = END; a = 0; k = 0; goto build :: else fi;
    a = top[k];
    if :: a > 0 && st[ROW(k,a)] == INTENT -> kd = ABN; goto build   /* first: what the old holder left in flight */
       :: else fi;
    a = 1;
    do :: a < NA && st[ROW(k,a)] != ANS -> a++ :: else -> break od;
    if :: a < NA -> kd = MSG; goto build                  /* a stored answer is reused */
       :: else -> a = top[k]+1 fi
  }
intent:
  if
  :: atomic { true ->
       if
#ifdef NO_INTENT_FENCE
       :: true ->
#else
       :: !(epoch == my && term == 0) -> goto idle
       :: epoch == my && term == 0 ->
#endif
          if
#ifndef NO_ANSWER_CHECK
          :: ANSWERED(k) -> goto look
          :: !ANSWERED(k) ->
#else
          :: true ->
#endif
             assert(!ANSWERED(k) && cons[k] == 0);        /* an answered call gets no new attempt */
             assert(a < NA && (st[ROW(k,a)] == NONE || ie[ROW(k,a)] == my));
             if :: st[ROW(k,a)] == NONE -> st[ROW(k,a)] = INTENT; ie[ROW(k,a)] = my; top[k] = a :: else fi;
             if :: skip
                :: lost < LOST -> lost++; goto intent     /* answer lost: the same rows again, by key and epoch */
             fi
          fi
       fi }
  KILL
  fi;
  if                                                      /* the request leaves; a freeze may sit right before it */
  :: d_step { sent[ROW(k,a)]++; issued[k]++;
       assert(sent[ROW(k,a)] == 1);                       /* an attempt is sent once */
       assert(issued[k] <= 1 + taken);                    /* paid again only by a takeover */
       assert(!(cons[k] > 0 && epoch == my));             /* a holder never pays for a consumed call */
#ifdef STRICT
       assert(!ANSWERED(k));
#endif
     }
  KILL
  fi;
  if :: kd = MSG KILL fi;                                 /* answer in memory, or killed with it */
build:
  atomic { s = ls+1; p = lh; c = CODE(my, kd, k, a) }     /* the bytes, fixed from here on */
send:
  if
  :: atomic { true -> execute(my, s, p, c, kd, k, a, res) }
  :: atomic { lost < LOST -> lost++; execute(my, s, p, c, kd, k, a, res); goto send }   /* committed, answer lost */
  :: atomic { lost < LOST && !pend[r].on -> lost++;                                     /* may commit later, or never */
       pend[r].on = 1; pend[r].e = my; pend[r].s = s; pend[r].p = p; pend[r].c = c;
       pend[r].kd = kd; pend[r].k = k; pend[r].a = a; goto send }
  :: atomic { crash < CRASH && !pend[r].on -> crash++;                                  /* killed with COMMIT on its way */
       pend[r].on = 1; pend[r].e = my; pend[r].s = s; pend[r].p = p; pend[r].c = c;
       pend[r].kd = kd; pend[r].k = k; pend[r].a = a; goto dead }
  KILL
  fi;
  atomic {                                                /* zero rows: one read decides; our own bytes first */
    if :: res == 2 -> goto look
       :: res == 1 || (res == 0 && lg[s] == c) -> skip
       :: res == 0 && lg[s] != c && (epoch != my || term != 0) -> goto idle
       :: else -> assert(false)                           /* alarm: must never happen */
    fi;
    ls = s; lh = c;
    if :: kd == MSG -> k++ :: else fi;
    if :: kd == END -> goto fin :: else goto look fi
  }
dead:
  alive[r] = false;
  alive[r] = true;                                        /* a new process; what it knew is gone */
  goto idle;
fin:
  skip
}

proctype Backend(byte r) {
  byte res;
end:
  do
  :: atomic { pend[r].on ->
       execute(pend[r].e, pend[r].s, pend[r].p, pend[r].c, pend[r].kd, pend[r].k, pend[r].a, res);
       res = 0; pend[r].on = 0; pend[r].e = 0; pend[r].s = 0; pend[r].p = 0; pend[r].c = 0; pend[r].kd = 0; pend[r].k = 0; pend[r].a = 0 }
  :: atomic { pend[r].on -> pend[r].on = 0; pend[r].e = 0; pend[r].s = 0; pend[r].p = 0; pend[r].c = 0; pend[r].kd = 0; pend[r].k = 0; pend[r].a = 0 }
  od
}

proctype Canceller() {
  byte i;
  short mine;
again:
  if
  :: skip                                                 /* nobody cancels */
  :: atomic { true ->                                     /* keeps the inner else its own */
       if :: term != 0 -> assert(mine == 0 || lg[last_seq] == mine)    /* an own lost commit is still our cancel */
          :: else ->
             epoch++; owner = 0; mine = CODE(epoch, END, 1, 0);
             insert(epoch, (last_seq+1), last_hash, mine, END, 0);
#ifndef NO_CANCEL_SETTLE
             i = 0;
             do :: i < NK*NA -> if :: st[i] == INTENT -> st[i] = UNK :: else fi; i++ :: else -> break od;
             i = 0;
#endif
             assert(term == 0); term = 2;
             if :: skip :: lost < LOST -> lost++; goto again fi
       fi }
  fi
}

proctype Monitor() {                                      /* nothing can move any more */
  byte i;
  timeout;
  d_step {
    assert(term != 0);                                    /* never stuck */
    assert(ISEND(lg[last_seq]));
    i = 0;
    do :: i < NK*NA -> assert(st[i] != INTENT); i++ :: else -> break od;   /* no reservation left over */
    if :: term == 1 -> assert(cons[0] == 1 && cons[1] == 1) :: else fi
  }
}

#ifdef LIVE
ltl live { <> (term != 0) }
#endif

init {
  atomic {
    last_seq = 1; last_hash = CODE(0, CREATED, 0, 0); lg[1] = last_hash;
    alive[1] = true; alive[2] = true;
    run Runner(1); run Runner(2); run Backend(1); run Backend(2); run Canceller();
#ifndef LIVE
    run Monitor();
#endif
  }
}
