/* Commands of people to a debate that may have a holder: two runners, three commands, the end.
 *
 *   spin -a commands.pml && gcc -O1 -w -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Deliberate faults, each must be found (spin -a -D<name> commands.pml):
 *   SPLIT        the event of a command and `consumed_seq` are two transactions
 *   NO_FENCE     a holder's step does not check its epoch
 *   NO_RECHECK   a release does not look for commands under the lock
 *   NO_LOCK      the api looks whether there is a holder, and stores in another transaction
 *   NO_REJECT    the end leaves waiting commands as they are
 */
#define NC 3                   /* commands */
#ifndef CRASH
#define CRASH 1
#endif
#ifndef SPUR
#define SPUR 1                 /* takeovers of a live holder */
#endif

/* Postgres: debate_runs and debate_commands */
byte epoch, owner, term, next_command, consumed;
byte applied[NC+1], rejected[NC+1];   /* ghosts: events of a command; commands the end refused */
bool accepted[NC+1];                  /* answered 200 or 202 */
byte number[NC+1];                    /* which number the command got; 0 when it became an event at once */
byte crash, spur, rest;

inline consume_to(n_) {               /* events for consumed+1..n_ */
  byte i_;
  i_ = 1;
  do :: i_ <= NC ->
          if :: number[i_] > consumed && number[i_] <= n_ -> applied[i_]++; assert(applied[i_] == 1) :: else fi; i_++
     :: else -> break od;
  i_ = 0
}

proctype Runner(byte r) {
  byte my, known;
claim:
  if
  :: atomic { term == 0 && (owner == 0 || (owner != r && spur < SPUR) || owner == r) ->
       if :: owner != 0 && owner != r -> spur++ :: else fi;
       epoch++; owner = r; my = epoch; known = consumed }              /* PostgresRunStore.claim, .adopt, .begin */
  :: atomic { term != 0 -> goto fin }
  fi;
step:
  if
  :: known = next_command;                                             /* PostgresRunStore.commands: no lock */
  :: crash < CRASH -> atomic { crash++; my = 0; known = 0 }; goto claim
  fi;
  if
  :: atomic { known > consumed ->                                      /* AppendStatement: event and consumed_seq, one statement */
#ifdef NO_FENCE
       if :: true ->
#else
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
#endif
             consume_to(known);
#ifdef SPLIT
             skip
#else
             consumed = known
#endif
       fi };
#ifdef SPLIT
     if :: atomic { epoch == my && term == 0 -> consumed = known }
        :: atomic { epoch != my || term != 0 -> goto claim }
        :: atomic { crash < CRASH -> crash++; my = 0; goto claim } fi;
#endif
     goto step
  :: atomic { rest < 2 ->                                              /* PostgresRunStore.release: between two calls */
       rest++;
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
#ifdef NO_RECHECK
             owner = 0; goto paused
#else
             if :: next_command > consumed -> goto step                /* commandsWaiting */
                :: else -> owner = 0; goto paused fi
#endif
       fi }
  :: atomic { true ->                                                  /* PostgresEventLog.conclude, EndStatements.rejectCommands */
       if :: epoch != my || term != 0 -> goto claim
          :: epoch == my && term == 0 ->
             known = 1;
#ifndef NO_REJECT
             do :: known <= NC ->
                     if :: number[known] > consumed -> rejected[known]++ :: else fi; known++
                :: else -> break od;
#endif
             term = 1; owner = 0
       fi };
     goto fin
  fi;
paused:                                                                /* nobody holds it; it may rest like this for ever */
  if :: goto fin :: goto claim fi;
fin:
  skip
}

/* CommandStore.take */
proctype Api(byte c) {
  bool held;
  if
#ifdef NO_LOCK
  :: held = (owner != 0);
     if
     :: atomic { held && term == 0 -> next_command++; number[c] = next_command; accepted[c] = true }
     :: atomic { !held && term == 0 -> epoch++; applied[c]++; accepted[c] = true }
     :: term != 0
     fi
#else
  :: atomic { term == 0 && owner != 0 -> next_command++; number[c] = next_command; accepted[c] = true }
  :: atomic { term == 0 && owner == 0 -> epoch++; applied[c]++; accepted[c] = true }
  :: term != 0
#endif
  fi
}

init {
  byte i;
  atomic { run Runner(1); run Runner(2); run Api(1); run Api(2); run Api(3) }
  timeout ->
    i = 1;
    do :: i <= NC ->
            assert(applied[i] + rejected[i] <= 1);                     /* once */
            assert(!accepted[i] || applied[i] + rejected[i] == 1 || owner != 0);   /* who was answered is heard, or told no */
            i++
       :: else -> break od;
    assert(consumed <= next_command)
}
