/* One collection cycle without a stop: handshakes, the hybrid barrier, roots, marking, its end, the sweep.
 *
 * Properties:
 *   1. no reachable object is white at the commit, and none is reclaimed by the sweep;
 *   2. no marked object, reachable or not, has a white child at the commit, so that Weak::lock may trust
 *      marks;
 *   3. the cycle hands on nothing (no mark, no grey object), so that every cycle starts like the first.
 *
 * Size: two processors, two goroutines with a stack of two slots each, three objects of one slot each, one
 * coordinator that marks (with WORK, others mark instead). Goroutines read and write each other's slots, as
 * reference captures do. OPS bounds the operations of both goroutines together; within the bound every
 * interleaving is visited, from every initial heap that choose_heap() names.
 *
 * Kinds of runs (each switches on what its mutants need; the others stay small without it):
 *   (none)    both goroutines run throughout
 *   PARK=n    goroutines numbered n and above park, and any idle processor resumes them
 *   SPAWN     the second goroutine is created by the first, with one captured reference
 *   WORK      processors mark, a thread that is no processor marks, and buffers are published at any time
 *             (full ones); operations begin once marking has begun
 *   HEAP      only one initial heap instead of all (for mutants that need a long run)
 *   LOSS      only property 1 (for mutants that break another one long before)
 * and two other ways to be right:
 *   LATE_CLEAR   a load reads the slot first, but bit 1 is cleared one handshake after the last scan
 *   QUIET_FLUSH  activity counts from the acknowledgement on, but nobody takes a packet during a flush round
 *
 * Abstracted: memory is sequentially consistent (each shared access outside a d_step or atomic is one step;
 * what the hardware may reorder is argued beside each atomic in the sources); a packet is one object; a
 * window of allocation cells is the flag black[]; each object is its own block; weak references, Persistents,
 * large objects, the pacer and the second cycle are left out (the last because of property 3).
 *
 * States of the correct model, complete search: see models/README.md.
 */

/* MUTANT=name plants one bug. The names are numbers, so that a misspelt one (0 to cpp) is refused. */
#define correct                   1
#define merge_handshakes          2  /* one handshake for "has seen the barrier" and "allocates black" */
#define allocate_white            3  /* handshake 2 does not switch to black allocation */
#define scan_before_handshake_2   4  /* parked goroutines scanned before handshake 2 is acknowledged */
#define table_skipped             5  /* handshake 3 ends when every processor acknowledged */
#define resume_unscanned          6  /* a parked goroutine is resumed without the scan it still needs */
#define born_scanned_early        7  /* born scanned whenever the barrier is on, not from phase roots on */
#define no_shade_old              8
#define no_shade_new              9  /* ... while a stack is unscanned */
#define no_shade_across           10 /* copies from and to slots of another stack */
#define no_shade_read             11 /* values read from objects while a stack is unscanned */
#define read_bit_cleared_early    12 /* bit 1 cleared at the request of handshake 3 instead of at its end */
#define flag_after_load           13 /* a load reads the slot first and barrier_bits afterwards */
#define no_flush                  14 /* marking ends when the pool is empty */
#define no_activity_counter       15 /* a round is clean when nobody published at its acknowledgement */
#define counter_from_acknowledgement 16 /* activity counts from the acknowledgement on, not the request */
#define holders_ignored           17 /* a round starts while a thread still holds a packet */
#define counter_ignores_shade     18 /* the counter moves on publish and take, not on a push */
#define clear_before_handshake_4  19 /* swept and cleared at the commit */
#define shade_after_commit        20 /* the barrier's slow path does not look at the phase */
#define allocate_unswept          21 /* a refill after handshake 4 takes a block that is not swept yet */
#ifndef MUTANT
#define MUTANT correct
#endif
#if MUTANT == 0
#error "MUTANT does not name a mutant of this model"
#endif

#if MUTANT == flag_after_load || defined(LATE_CLEAR)
#define LOADS_BEFORE_FLAG
#endif
#if MUTANT == counter_from_acknowledgement || defined(QUIET_FLUSH)
#define COUNTS_FROM_ACKNOWLEDGEMENT
#endif
#ifdef QUIET_FLUSH
#define may_take (phase == MARK && pool && !in_round)
#define hands_empty (!holding && !busy[0] && !busy[1])
#elif MUTANT == holders_ignored
#define may_take (phase == MARK && pool)
#define hands_empty true
#else
#define may_take (phase == MARK && pool)
#define hands_empty (!holding)
#endif
#ifndef OPS
#define OPS 3
#endif

/* Objects are 0, 1, 2; sets of them are bit masks. NIL counts as marked, which saves a test everywhere. */
#define NIL 3
#define ALL 7
#define one(o) (1 << (o))
#define has(set, o) (((set) >> (o)) & 1)
#define NOBODY 2                        /* no goroutine: the processor is idle */

#define IDLE 0                          /* phases, in the order of a cycle */
#define BARRIER 1
#define ROOTS 2
#define MARK 3
#define COMMITTED 4
#define UNBORN 0                        /* states of a goroutine */
#define PARKED 1
#define RUNNING 2
#define SCANNING 3
mtype = { HANDSHAKE_1, HANDSHAKE_2, HANDSHAKE_3, FLUSH, HANDSHAKE_4 };

byte field[3] = NIL;                    /* the heap */
byte slot[4] = NIL;                     /* the stacks: goroutine g owns slots 2g and 2g + 1 */
byte allocated, swept;
byte mark = 8;                          /* one(NIL) */

byte phase;
byte barrier_bits;                      /* 1: barrier on; 2: some stack is unscanned */
mtype handshake;
bit pending[2];                         /* the processor has not acknowledged it yet */
bit black[2];                           /* the processor allocates black */
byte grey[2], pool;                     /* local buffers, shared packets */
bit holding;                            /* the mark thread holds a packet */
#ifdef QUIET_FLUSH
bit busy[2];                            /* the processor scans an object of a packet */
bit in_round;                           /* between the request of a flush and its judgement */
#endif
bit moved[3];                           /* an activity counter moved: processors 0 and 1, mark thread */
bit dirty;                              /* somebody published while acknowledging the flush */

byte current[2];                        /* the goroutine a processor runs */
byte state[2];
bit scanned[2];                         /* in this cycle; a cycle number in the sources */
byte carried[2] = NIL;                  /* a reference between its load and its store into a slot */
byte ops = OPS;
bit finished;

hidden byte reachable, round;

inline find_reachable() {
  reachable = one(slot[0]) | one(slot[1]) | one(slot[2]) | one(slot[3]) | one(carried[0]) | one(carried[1]);
  round = 0;
  do
  :: round < 3 ->
     if :: has(reachable, 0) -> reachable = reachable | one(field[0]) :: else fi;
     if :: has(reachable, 1) -> reachable = reachable | one(field[1]) :: else fi;
     if :: has(reachable, 2) -> reachable = reachable | one(field[2]) :: else fi;
     round++
  :: else -> break
  od;
  round = 0
}

/* Test and set in one step; the winner pushes. A push is activity: see counter_ignores_shade. */
inline mark_and_push(o) {
  if
  :: !has(mark, o) ->
     mark = mark | one(o);
     grey[me] = grey[me] | one(o);
#if MUTANT != counter_ignores_shade
     moved[me] = 1
#endif
  :: else
  fi
}

/* Two steps: the phase may change between its test and the mark. */
inline shade(o) {
  if
#if MUTANT == shade_after_commit
  :: o == NIL
#else
  :: phase >= COMMITTED || o == NIL
#endif
  :: else -> d_step { mark_and_push(o) }
  fi
}

inline mark_to_pool(o) {
  if :: !has(mark, o) -> mark = mark | one(o); pool = pool | one(o) :: else fi
}

inline sweep(o) {
  if
  :: has(allocated, o) && !has(mark, o) ->
     find_reachable();
     assert(!has(reachable, o));        /* a reachable object would be reclaimed */
     reachable = 0;
     allocated = allocated & ~one(o);
     field[o] = NIL
  :: else
  fi;
  swept = swept | one(o)
}

inline pick(set, o) {
  if :: has(set, 0) -> o = 0 :: has(set, 1) -> o = 1 :: has(set, 2) -> o = 2 fi
}

#ifdef WORK
#define runs_code (phase >= MARK && ops > 0 && current[me] != NOBODY)
#else
#define runs_code (!finished && ops > 0 && current[me] != NOBODY)
#endif
#define own_slot(i) slot[2 * current[me] + (i)]

proctype processor(byte me) {
  byte g;                               /* a goroutine */
  byte seen;                            /* barrier_bits as an operation read them */
  byte a, b;                            /* objects */
end:
  do
  /* Handshakes: a processor serves them between operations, or while it is idle. */
  :: d_step { pending[me] && handshake == HANDSHAKE_1 ->
#if MUTANT == merge_handshakes
       black[me] = 1;
#endif
       pending[me] = 0 }
  :: d_step { pending[me] && handshake == HANDSHAKE_2 ->
#if MUTANT != allocate_white
       black[me] = 1;
#endif
       pending[me] = 0 }
  :: atomic { pending[me] && handshake == HANDSHAKE_3 ->
       if
       :: current[me] != NOBODY && !scanned[current[me]] ->
          g = current[me];
          shade(slot[2 * g]);
          shade(slot[2 * g + 1]);
          scanned[g] = 1
       :: else
       fi };
     atomic { g = 0; pending[me] = 0 }
  :: d_step { pending[me] && handshake == FLUSH ->
       if :: grey[me] -> pool = pool | grey[me]; grey[me] = 0; moved[me] = 1; dirty = 1 :: else fi;
#ifdef COUNTS_FROM_ACKNOWLEDGEMENT
       moved[me] = 0;
#endif
       pending[me] = 0 }
  :: d_step { pending[me] && handshake == HANDSHAKE_4 ->
       black[me] = 0; pending[me] = 0 }

  /* Store: object.field = value, the object named by any slot, the value from an own slot or null. */
  :: atomic { runs_code -> ops--; seen = barrier_bits };
     atomic {
       if
       :: slot[0] != NIL -> a = slot[0]
       :: slot[1] != NIL -> a = slot[1]
       :: slot[2] != NIL -> a = slot[2]
       :: slot[3] != NIL -> a = slot[3]
       :: else -> seen = 0; goto stored
       fi;
       if :: b = own_slot(0) :: b = own_slot(1) :: b = NIL fi;
       g = field[a]; field[a] = b; a = g; g = 0;      /* the exchange; a is now the old value */
       if
       :: seen == 0 -> goto stored
       :: else
       fi;
#if MUTANT == no_shade_old
       a = NIL;
#endif
#if MUTANT == no_shade_new
       b = NIL;
#endif
       if :: seen & 2 :: else -> b = NIL fi;
       seen = 0 };
     shade(a);
     shade(b);
stored: atomic { a = 0; b = 0 }

  /* Load or copy: any slot = null, a slot of any stack, or the field of an object named by any slot.
   * The flag is read before the value: see flag_after_load. */
  :: atomic { runs_code -> ops--;
#ifndef LOADS_BEFORE_FLAG
       seen = barrier_bits
#endif
     };
     atomic {
       a = 0;                                         /* 1: from a slot; 2: from an object */
       if
       :: carried[me] = NIL
       :: carried[me] = slot[0]; a = 1
       :: carried[me] = slot[1]; a = 1
       :: carried[me] = slot[2]; a = 1
       :: carried[me] = slot[3]; a = 1
       :: slot[0] != NIL -> carried[me] = field[slot[0]]; a = 2
       :: slot[1] != NIL -> carried[me] = field[slot[1]]; a = 2
       :: slot[2] != NIL -> carried[me] = field[slot[2]]; a = 2
       :: slot[3] != NIL -> carried[me] = field[slot[3]]; a = 2
       fi;
#if MUTANT == no_shade_across
       if :: a == 1 -> seen = 0 :: else fi;
#elif MUTANT == no_shade_read
       if :: a == 2 -> seen = 0 :: else fi;
#endif
#ifdef LOADS_BEFORE_FLAG
     };
     atomic {
       seen = barrier_bits;
#endif
       a = 0;
       if
       :: (seen & 2) && carried[me] != NIL -> seen = 0
       :: else -> seen = 0; goto loaded
       fi };
     shade(carried[me]);
loaded: atomic {
       if
       :: state[0] != UNBORN -> slot[0] = carried[me]
       :: state[0] != UNBORN -> slot[1] = carried[me]
       :: state[1] != UNBORN -> slot[2] = carried[me]
       :: state[1] != UNBORN -> slot[3] = carried[me]
       fi;
       carried[me] = NIL }

  /* Allocation, of the lowest free object. After handshake 4 a refill sweeps its block first. */
  :: atomic { runs_code && allocated != ALL ->
       ops--;
#if MUTANT != allocate_unswept
       if
       :: phase == COMMITTED && !black[me] ->
          if :: !has(swept, 0) -> sweep(0) :: else fi;
          if :: has(allocated, 0) && !has(swept, 1) -> sweep(1) :: else fi;
          if :: has(allocated, 0) && has(allocated, 1) && !has(swept, 2) -> sweep(2) :: else fi
       :: else
       fi;
#endif
       if
       :: !has(allocated, 0) -> a = 0
       :: has(allocated, 0) && !has(allocated, 1) -> a = 1
       :: has(allocated, 0) && has(allocated, 1) -> a = 2
       fi;
       allocated = allocated | one(a);
       if :: black[me] -> mark = mark | one(a) :: else fi;
       if :: own_slot(0) = a :: own_slot(1) = a fi;
       a = 0 }

#ifdef SPAWN
  /* The creator reads phase and bits once; the closure's reference is handed across stacks. */
  :: atomic { runs_code && state[1] == UNBORN ->
       ops--;
#if MUTANT == born_scanned_early
       a = (phase >= BARRIER);
#else
       a = (phase >= ROOTS);
#endif
       seen = barrier_bits;
       if :: carried[me] = own_slot(0) :: carried[me] = own_slot(1) fi };
     if
     :: a || (seen & 2) -> shade(carried[me])
     :: else
     fi;
     d_step {
       slot[2] = carried[me]; scanned[1] = a; state[1] = PARKED;
       carried[me] = NIL; a = 0; seen = 0 }
#endif

#ifdef PARK
  :: d_step { runs_code && current[me] >= PARK -> ops--; state[current[me]] = PARKED; current[me] = NOBODY }
#endif
#if defined(PARK) || defined(SPAWN)
  /* Nothing pending, then a claim: a request may arrive between the two. */
  :: atomic { !finished && !pending[me] && current[me] == NOBODY &&
              (state[0] == PARKED || state[1] == PARKED) };
     atomic {
       if
       :: state[0] == PARKED -> g = 0
       :: state[1] == PARKED -> g = 1
       :: else -> goto end
       fi;
       state[g] = RUNNING;
#if MUTANT != resume_unscanned
       if
       :: phase >= ROOTS && !scanned[g] ->
          shade(slot[2 * g]);
          shade(slot[2 * g + 1]);
          scanned[g] = 1
       :: else
       fi;
#endif
       current[me] = g;
       g = 0 }
#endif

#ifdef WORK
  :: d_step { phase == MARK && grey[me] -> pool = pool | grey[me]; grey[me] = 0; moved[me] = 1 }
  :: atomic { may_take ->
       pick(pool, a);
       pool = pool & ~one(a);
       moved[me] = 1;
#ifdef QUIET_FLUSH
       busy[me] = 1;
#endif
       a = field[a] };
     d_step { mark_and_push(a);
#ifdef QUIET_FLUSH
       busy[me] = 0;
#endif
       a = 0 }
#endif
  od
}

inline request(kind) {
  handshake = kind; pending[0] = 1; pending[1] = 1
}
#define acknowledged (!pending[0] && !pending[1])

inline mark_one() {
  atomic { pool -> pick(pool, o); pool = pool & ~one(o); o = field[o] };
  d_step { mark_to_pool(o); o = 0 }
}

/* The pass over the table: claims a parked goroutine that nobody has scanned. Running ones were scanned by
 * the processor that acknowledged handshake 3, or resumed them. */
inline scan_parked(k) {
  if
  :: atomic { state[k] == PARKED && !scanned[k] -> state[k] = SCANNING };
     d_step { mark_to_pool(slot[2 * k]) };
     d_step { mark_to_pool(slot[2 * k + 1]); scanned[k] = 1; state[k] = PARKED }
  :: else
  fi
}

#ifdef WORK
/* A mark worker that is no processor (a thread of its own, a TBB task): it acknowledges nothing. */
proctype mark_thread() {
  byte o;
end:
  do
  :: atomic { may_take ->
       pick(pool, o); pool = pool & ~one(o); o = field[o]; holding = 1; moved[2] = 1 };
     d_step { mark_to_pool(o); o = 0; moved[2] = 1; holding = 0 }
  od
}
#endif

/* Read the counters; then see that the pool and all hands are empty; then ask everybody; then compare.
 * If nothing moved, nothing was grey at the request. For every buffer was empty there, since it was empty at
 * the acknowledgement and nobody published; and what a processor inside a barrier, or inside the scan of an
 * object, had in its hands was marked already, or its push (by whoever came first) would have been
 * counted. */
inline flush_round() {
  d_step { moved[0] = 0; moved[1] = 0; moved[2] = 0; dirty = 0 };
  if
  :: atomic { !pool && hands_empty ->
#ifdef QUIET_FLUSH
       in_round = 1;
#endif
       request(FLUSH) };
     acknowledged;
     if
#if MUTANT == no_activity_counter
     :: !dirty && !pool && !holding -> break
#elif defined(COUNTS_FROM_ACKNOWLEDGEMENT)
     :: !dirty && !pool && !holding -> if :: !moved[0] && !moved[1] -> break :: else fi
#else
     :: !moved[0] -> if :: !moved[1] -> if :: !moved[2] -> break :: else fi :: else fi
#endif
     :: else
     fi;
#ifdef QUIET_FLUSH
     in_round = 0
#endif
  :: else
  fi
}

proctype coordinator() {
  byte o;
  d_step { phase = BARRIER; barrier_bits = 3; request(HANDSHAKE_1) };
  acknowledged;
#if MUTANT == scan_before_handshake_2
  d_step { request(HANDSHAKE_2) };
  scan_parked(0);
  scan_parked(1);
  acknowledged;
#elif MUTANT != merge_handshakes
  d_step { request(HANDSHAKE_2) };
  acknowledged;
#endif

  d_step { phase = ROOTS;
#if MUTANT == read_bit_cleared_early
    barrier_bits = 1;
#endif
    request(HANDSHAKE_3) };
  acknowledged;
#if MUTANT != table_skipped
  scan_parked(0);
  scan_parked(1);
#endif
#ifdef LATE_CLEAR
  d_step { request(HANDSHAKE_1) };      /* any; the first flush round serves in the sources */
  acknowledged;
#endif
  d_step { barrier_bits = 1; phase = MARK };

  do
#ifndef WORK
  :: mark_one()
#endif
#if MUTANT == no_flush
  :: atomic { !pool -> break }
#else
  :: atomic { !pool }; flush_round()
#endif
  od;

  atomic {
    find_reachable();
    assert((reachable & ~mark) == 0);   /* a reachable object is white at the commit */
    reachable = 0;
#ifndef LOSS
    assert((!has(mark, 0) || has(mark, field[0])) && (!has(mark, 1) || has(mark, field[1])) &&
           (!has(mark, 2) || has(mark, field[2])));  /* a marked object, perhaps garbage, has a white child */
#endif
    swept = 0;
    phase = COMMITTED };
#if MUTANT == clear_before_handshake_4
  d_step { sweep(0); sweep(1); sweep(2); mark = one(NIL) };
#endif
  d_step { barrier_bits = 0; request(HANDSHAKE_4) };
  acknowledged;
#if MUTANT != clear_before_handshake_4
  d_step { if :: !has(swept, 0) -> sweep(0) :: else fi };
  d_step { if :: !has(swept, 1) -> sweep(1) :: else fi };
  d_step { if :: !has(swept, 2) -> sweep(2) :: else fi };
  d_step { mark = one(NIL) };
#endif
  d_step { phase = IDLE; finished = 1;
#ifndef LOSS
    assert(mark == one(NIL) && !grey[0] && !grey[1] && !pool);   /* something is left for the next cycle */
#endif
  }
}

inline choose_heap() {
#ifdef HEAP                             /* two objects, the second known to the second goroutine only */
  slot[2] = 1; allocated = 3;
#else
  if :: slot[0] = 0 :: slot[0] = NIL fi;
#ifdef SPAWN
  if :: slot[1] = 0 :: slot[1] = 1 fi;
#else
  if :: slot[2] = 0 :: slot[2] = 1 fi;
#endif
  if :: field[0] = 1 :: field[0] = NIL fi;
  if
  :: allocated = 3
  :: allocated = 7; field[1] = 2
  :: allocated = 7
  fi
#endif
}

init {
  atomic {
    choose_heap();
    state[0] = RUNNING; current[0] = 0;
#ifdef SPAWN
    current[1] = NOBODY;
#else
    state[1] = RUNNING; current[1] = 1;
#endif
    run processor(0);
    run processor(1);
#ifdef WORK
    run mark_thread();
#endif
    run coordinator()
  }
}
