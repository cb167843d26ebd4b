/* Parking a goroutine: two steps, so that no wake-up is lost and nobody runs on a stack that is still in use.
 *
 * A goroutine waits for a value. It takes a ticket, publishes itself as the waiter, switches to its
 * processor's own stack, and only there its processor commits the park. The waker, a cancellation and the
 * claim of a collector worker that wants to scan the stack may each come at any point in between.
 *
 * Properties: at most one user of the stack at a time (the goroutine, the worker that scans it); a goroutine
 * is queued at most once; it is woken exactly once for each wait, by the winner of its ticket; no run ends
 * with the goroutine asleep although somebody claimed its ticket (watch).
 *
 * Size: one goroutine that waits WAITS times, two processors, one waker and one canceller that each act once
 * for every wait, one collector worker that scans SCANS times. The search is complete.
 *
 * Abstracted: memory is sequentially consistent; the run queue is a counter; which processor takes the
 * goroutine does not matter, but it may be the other one while the first is still switching.
 */

#define correct           1
#define commit_before_switch 2  /* published as parked while still on its own stack */
#define commit_blindly    3     /* the commit overwrites a wake-up that came between */
#define wake_drops_scan   4     /* a wake-up that meets a scan leaves no note */
#define wake_ignores_scan 5     /* ... or makes the goroutine runnable at once */
#define scan_drops_note   6     /* the scanner does not look for the note */
#define claim_not_atomic  7     /* waker and canceller test the ticket and set it in two steps */
#define ticket_without_number 8 /* a late waker of the last wait takes the ticket of this one */
#ifndef MUTANT
#define MUTANT correct
#endif
#if MUTANT == 0
#error "MUTANT does not name a mutant of this model"
#endif
#ifndef WAITS
#define WAITS 2
#endif
#ifndef SCANS
#define SCANS 2
#endif

/* The state word. PARKING: published, still on its own stack or switching off it. NOTIFIED: woken in that
 * time. SCANNING_NOTED: woken while a collector worker holds the stack. */
mtype = { RUNNING, PARKING, NOTIFIED, WAITING, SCANNING, SCANNING_NOTED, RUNNABLE, DONE };
mtype state = RUNNABLE;
byte queued = 1;                /* entries in run queues */
byte on_stack;                  /* users of the stack at this moment */
byte ticket;                    /* number of the wait; odd: open, even: claimed */
byte wait_number;               /* waits published so far */
byte wakes;                     /* claims won */
byte woken_for;                 /* the wait whose claim was won last */

#define use_stack()   on_stack++; assert(on_stack == 1)
#define leave_stack() on_stack--

inline enqueue() { queued++; assert(queued == 1) }

/* One compare-and-swap decides; the loop is the usual retry after a change in between. */
inline make_runnable() {
  do
  :: atomic { state == PARKING -> state = NOTIFIED; break }       /* taken back at the commit */
  :: atomic { state == WAITING -> state = RUNNABLE; enqueue(); break }
#if MUTANT == wake_drops_scan
  :: atomic { state == SCANNING -> break }
#elif MUTANT == wake_ignores_scan
  :: atomic { state == SCANNING -> state = RUNNABLE; enqueue(); break }
#else
  :: atomic { state == SCANNING -> state = SCANNING_NOTED; break }
#endif
  :: atomic { state == RUNNING || state == RUNNABLE || state == NOTIFIED || state == SCANNING_NOTED ||
              state == DONE -> assert(false) }                    /* woken although it does not wait */
  od
}

/* Both wakers: the wait is theirs only if its ticket is still open. */
inline claim(number) {
  won = false;
#if MUTANT == claim_not_atomic
  if
  :: ticket == number -> ticket = number + 1; won = true
  :: else
  fi;
#elif MUTANT == ticket_without_number
  d_step { if :: ticket & 1 -> ticket = ticket + 1; won = true :: else fi };
#else
  d_step { if :: ticket == number -> ticket = number + 1; won = true :: else fi };
#endif
  if :: won -> d_step { wakes++; woken_for = ((number) + 1) / 2 } :: else fi
}

proctype processor() {
end:
  do
  :: atomic { queued > 0 -> queued--; assert(state == RUNNABLE); state = RUNNING; use_stack() };
     /* The goroutine resumes: its wait was claimed once, by somebody who meant this wait. */
     assert(wakes == wait_number && woken_for == wait_number);
     if
     :: wait_number < WAITS ->
        /* The goroutine: publish. From here on it may be woken; it still runs on its stack. */
#if MUTANT == commit_before_switch
        atomic { state = WAITING; wait_number++; ticket = 2 * wait_number - 1 };
        leave_stack()
#else
        atomic { state = PARKING; wait_number++; ticket = 2 * wait_number - 1 };
        leave_stack();                                    /* the switch to the processor's own stack */
        /* The processor: commit. */
#if MUTANT == commit_blindly
        state = WAITING
#else
        if
        :: atomic { state == PARKING -> state = WAITING }
        :: atomic { state == NOTIFIED -> state = RUNNABLE; enqueue() }
        fi
#endif
#endif
     :: else -> atomic { leave_stack(); state = DONE }
     fi
  od
}

/* Wakes each wait, late ones too: it holds the number of the wait it belongs to. */
proctype waker() {
  byte number;
  bit won;
  do
  :: number < WAITS ->
     number++;
     wait_number >= number;
     claim(2 * number - 1);
     if :: won -> won = false; make_runnable() :: else fi
  :: else -> break
  od
}

proctype collector_worker() {
  byte scans;
  do
  :: scans < SCANS ->
     scans++;
     if
     :: atomic { state == WAITING -> state = SCANNING };
        use_stack();
        leave_stack();
#if MUTANT == scan_drops_note
        state = WAITING
#else
        if
        :: atomic { state == SCANNING -> state = WAITING }
        :: atomic { state == SCANNING_NOTED -> state = RUNNABLE; enqueue() }
        :: atomic { state != SCANNING && state != SCANNING_NOTED -> assert(false) }
        fi
#endif
     :: true                                              /* not parked just now: somebody else scans it */
     fi
  :: else -> break
  od
}

/* Nobody is left asleep: once all is quiet the goroutine has ended. */
proctype watch() {
  timeout -> assert(state == DONE && queued == 0 && on_stack == 0 && wakes == WAITS)
}

init {
  atomic {
    run processor(); run processor();
    run waker();                                          /* the value arrives */
    run waker();                                          /* the wait is cancelled */
    run collector_worker();
    run watch()
  }
}
