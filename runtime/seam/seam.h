#pragma once
// THE SEAM: where the scheduler and the collector meet. Read this first; it takes ten minutes.
//
// Nouns
//   goroutine (G)    a stack, a closure and a descriptor (goroutine.h). Its state says who owns the stack.
//   processor (P)    the right to run goroutines and to allocate (processor.h). A worker is the thread that drives one.
//   safepoint        a place where a goroutine's roots are complete and it may be switched: every runtime call that can
//                    park, every refill of an allocation window, and poll() (safepoint.h). One load when nothing is asked.
//   handshake        an operation that every P runs once, at its own safepoint, none waiting for another (handshake.h).
//   cycle, phase     one collection, and where it stands (phase.h). Only the collector writes the phase.
//
// One cycle, as a goroutine sees it
//   1. Somebody allocates past the pacer's trigger (gc/pacer.h). The phase becomes kFinishSweep, and idle workers are woken.
//      What is left of the last sweep, then clearing the mark bits, is done in pieces by whoever has time: idle workers in
//      their loop (sched/worker_loop.cpp), computing goroutines at a poll when the monitor has asked their P for its share
//      (kRequestCollectorQuantum), allocating goroutines in proportion to what they allocate.
//   2. Handshake 1. The barrier byte (tandem/detail/words.h) is set; once every P has passed a safepoint, every store to a
//      managed slot shades what it overwrites, and, as long as any stack is unscanned, what it writes; loads and copies of
//      Locals shade what they read.
//   3. Handshake 2. Every P allocates black: it marks the cells of its windows. From its acknowledgement on it also moves
//      goroutines between states by compare-and-swap, because stacks may soon be claimed (scan_claim.h).
//   4. Handshake 3. Every P scans the goroutine it runs, at that goroutine's own safepoint, and from then on scans any other
//      before it resumes it, unless that has been done. When all have acknowledged, workers walk the table of goroutines and
//      claim those that are parked (gc/root_walk.h): a waker that meets a claim leaves a note. Each stack is scanned once. When
//      the walk has ended and every P has passed one more safepoint (a load may be between its read and its test of the
//      barrier byte), loads cost nothing again.
//   5. Marking: packets of grey objects, balanced over the processors (gc/marker.h).
//   6. Flush handshake: does any P hold grey objects nobody knows of? If none did and nobody has shaded since, marking is
//      done (the argument stands in gc/cycle.h); otherwise on with 5.
//   7. Handshake 4. Barrier off; every P takes the marks of its own blocks over and allocates white. Then everything is
//      unswept: allocation sweeps what it needs, idle workers the rest.
//   At no time are all goroutines stopped. What one goroutine can lose is its own stack's scan and its share of mark work.
//   stop = stop_the_world is the same cycle with every P held at the safepoint of handshake 1 (world_stop.h). With barrier =
//   insertion_rescan steps 4 to 6 are done twice, the second time with every P held. collector = boehm is another port
//   (gc/boehm/), to which a cycle is one stop.
//
// Rules
//   S1  A field has one writer, named where it is declared. Who drives or has claimed a P may write the P's own fields.
//   S2  A stack has one owner, given by the goroutine's state. A running goroutine is scanned by itself only.
//   S3  Only the completion of a step writes the phase, and P's act on it through handshakes, except for three hints that may
//       be seen early or late: the barrier byte, "is there work" and "was it committed" (gc/barrier.cpp says why).
//   S4  A P serves its pending requests before it runs any goroutine, and after it gave itself up and took itself back.
//   S5  No lock is held when a port is called; no port call parks except those of SchedulerPort that say so: park_until,
//       park_published, run_blocking, preempt_running.
//   S6  No safepoint lies between reading a reference and rooting it, or between a barrier's test and its store.
//   S7  What crosses stacks (values handed over by channels, closures of new goroutines, Locals captured by reference) is
//       copied by Local's own operations, which shade while any stack is unscanned.
//   S8  A goroutine is on at most one list; while it is on a run queue nobody but the dequeuer, or a claimer, touches it.
//   S9  Data below never points to code above: gc/, sched/ and netpoll/ know each other only through ports.h.
//
// The words of one goroutine switch that the collector relies on: context.sp is published before the state (release), the
// state is changed by the next context only after the switch, Processor::running is null while a worker is in its loop.

#include "runtime/seam/goroutine.h"
#include "runtime/seam/handshake.h"
#include "runtime/seam/phase.h"
#include "runtime/seam/ports.h"
#include "runtime/seam/processor.h"
#include "runtime/seam/registry.h"
#include "runtime/seam/requests.h"
#include "runtime/seam/safepoint.h"
#include "runtime/seam/scan_claim.h"
#include "runtime/seam/world_stop.h"
