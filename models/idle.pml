/* Idle processors: no submitted work is overlooked, and a handshake reaches each processor exactly once.
 *
 * Submit, then look for idle processors; be idle, then look for work again: whichever comes second sees the
 * other. A submitter wakes nobody while somebody searches; a searcher that finds work and was the last one
 * wakes the next (chained wake-ups). A handshake is run by the processor itself, or by proxy while it is
 * idle: whoever moves its status from idle to claimed owns it; a wake-up that meets the claim leaves a note.
 *
 * Properties: every submitted task is started although no task ends before all have started (so a sleeping
 * processor beside waiting work is an error, not a delay); one at most acts as a processor at a time; each
 * handshake is run once per processor; nobody sleeps over a wake-up that was sent.
 *
 * Size: WORKERS processors, a submitter from outside and one task that submits another, one handshake (none
 * with WAKES, which keeps three processors small). The search is complete.
 *
 * Abstracted: memory is sequentially consistent (the two store-then-load pairs need seq_cst fences in the
 * sources: submit/idle and request/status); all queues are one counter, so stealing is a take from it; the
 * limit of half the busy processors on searchers is one searcher woken at a time.
 */

#define correct               1
#define no_recheck            2  /* sleeps without a second look for work */
#define recheck_before_idle   3  /* looks for work, then becomes idle */
#define check_before_submit   4  /* looks for idle processors, then submits */
#define searching_until_sleep 5  /* stops counting as a searcher only after its second look */
#define no_chained_wake       6  /* the last searcher that finds work wakes nobody (needs three processors) */
#define proxy_without_claim   7  /* the handshake is run for an idle processor without moving its status */
#define proxy_drops_wake      8  /* a wake-up that meets a claim is forgotten */
#define proxy_no_second_look  9  /* after the claim the proxy does not look whether it is still pending */
#define wake_without_retry    10 /* a submitter that found nobody idle does not look again */
#ifndef MUTANT
#define MUTANT correct
#endif
#if MUTANT == 0
#error "MUTANT does not name a mutant of this model"
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#define TASKS WORKERS           /* one for each: all must run at once */

mtype = { RUNNING, IDLE, CLAIMED, CLAIMED_WOKEN };
mtype status[WORKERS] = RUNNING;
bit token[WORKERS];             /* the semaphore a worker sleeps on */
byte work;                      /* tasks in queues */
byte started;
byte searching;                 /* processors that look for work, or are woken to do so */
bit pending[WORKERS];           /* handshake not acknowledged */
byte served[WORKERS];           /* times the handshake was run for this processor */
byte acting[WORKERS];           /* threads that act as this processor */

#define act(w)   acting[w]++; assert(acting[w] == 1)
#define unact(w) acting[w]--

/* Moves an idle processor to running, or leaves the note. False if it is not idle (any more). */
inline try_wake(w, woke) {
  d_step {
    if
    :: status[w] == IDLE -> status[w] = RUNNING; token[w] = 1; woke = true
#if MUTANT == proxy_drops_wake
    :: status[w] == CLAIMED -> woke = true
#else
    :: status[w] == CLAIMED -> status[w] = CLAIMED_WOKEN; woke = true
#endif
    :: else -> woke = false
    fi }
}

#if MUTANT == wake_without_retry
#define look_again false
#else
#define look_again (work > 0 && some_idle)
#endif
#if WORKERS == 2
#define some_idle (status[0] != RUNNING || status[1] != RUNNING)
#else
#define some_idle (status[0] != RUNNING || status[1] != RUNNING || status[2] != RUNNING)
#endif

/* Called after work was made visible, and by the last searcher that found some. The woken one searches
 * already. One that finds nobody idle looks again after it gave its place as a searcher back: in between it
 * kept other submitters from waking a processor that had just become idle. */
inline wake_one() {
  woke = false;
  do
  :: atomic { searching == 0 -> searching = 1 };        /* compare-and-swap 0 -> 1 */
     other = 0;
     do
     :: other < WORKERS && !woke -> try_wake(other, woke); other++
     :: else -> break
     od;
     other = 0;
     if
     :: woke -> woke = false; break
     :: else -> searching--; if :: look_again :: else -> break fi
     fi
  :: else -> break
  od
}

inline submit() {
#if MUTANT == check_before_submit
  wake_one();
  work++
#else
  work++;
  wake_one()
#endif
}

inline serve(w) {
  d_step { if :: pending[w] -> served[w]++; assert(served[w] == 1); pending[w] = 0 :: else fi }
}

proctype worker(byte me) {
  byte other;
  bit woke, searches, found;
  act(me);
loop:
  serve(me);                                            /* before it runs any goroutine */
  d_step { if :: work > 0 -> work--; found = true :: else -> found = false fi };
  if
  :: found ->
     found = false;
     if
     :: searches ->
        searches = false;
        d_step { searching--; woke = (searching == 0) };
#if MUTANT == no_chained_wake
        woke = false;
#endif
        if
        :: woke -> woke = false; if :: work > 0 -> wake_one() :: else fi
        :: else
        fi
     :: else
     fi;
     atomic { started++; other = started };
     if :: other == 1 -> submit() :: else -> other = 0 fi;  /* the first task submits another */
     do
     :: started == TASKS -> break                       /* ends only when all have started */
     :: pending[me] -> serve(me)                        /* and polls meanwhile */
     od;
     goto loop
  :: else
  fi;

#if MUTANT == recheck_before_idle
  if :: work > 0 -> goto loop :: else fi;
#endif
  unact(me);
  status[me] = IDLE;                                    /* publish, */
#if MUTANT != searching_until_sleep
  if :: searches -> searching--; searches = false :: else fi;
#endif
#if MUTANT != no_recheck && MUTANT != recheck_before_idle
  if
  :: work > 0 -> try_wake(me, woke);                    /* then look again: wake oneself, as anybody would */
     if :: woke -> searching++ :: else fi;              /* or somebody else just did */
     woke = false
  :: else
  fi;
#endif
#if MUTANT == searching_until_sleep
  if :: searches -> searching--; searches = false :: else fi;
#endif
end:
  atomic { token[me] -> token[me] = 0; searches = true };
  act(me);
  goto loop
}

proctype submitter() {
  byte other;
  bit woke;
  byte left = TASKS - 1;                                /* the last one is submitted by a task */
  do
  :: left > 0 -> left--; submit()
  :: else -> break
  od
}

proctype coordinator() {
  byte w;
  d_step { w = 0; do :: w < WORKERS -> pending[w] = 1; w++ :: else -> break od; w = 0 };
  do
  :: w < WORKERS ->
     if
     :: !pending[w]                                     /* it served its own */
#if MUTANT == proxy_without_claim
     :: status[w] == IDLE -> act(w); serve(w); unact(w)
#else
     :: atomic { status[w] == IDLE -> status[w] = CLAIMED };
        act(w);
#if MUTANT == proxy_no_second_look
        d_step { served[w]++; assert(served[w] == 1); pending[w] = 0 };
#else
        serve(w);
#endif
        unact(w);
        d_step {
          if
          :: status[w] == CLAIMED_WOKEN -> status[w] = RUNNING; token[w] = 1
          :: else -> status[w] = IDLE
          fi }
#endif
     fi;
     w++
  :: else -> break
  od
}

proctype watch() {
  byte w;
  timeout ->
  assert(started == TASKS && work == 0 && searching == 0);
  do
  :: w < WORKERS ->
#ifndef WAKES
     assert(served[w] == 1);
#endif
     assert(status[w] == IDLE && !token[w]);
     w++
  :: else -> break
  od
}

init {
  atomic {
    byte w;
    do :: w < WORKERS -> run worker(w); w++ :: else -> break od;
    run submitter();
#ifndef WAKES
    run coordinator();
#endif
    run watch()
  }
}
