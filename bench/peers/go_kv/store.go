package main

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// Mirrors examples/kv/store.h and value.h: 4,096 buckets, each a map of its own, so that no single map grows large; 64
// locks, of which a command takes all that its keys need, in ascending order, before it begins; a value is an object
// whose string is replaced in place; a key's end is a timer.
const (
	buckets      = 4096
	locks        = 64
	listCapacity = 4 // of a new list
)

// Exactly one of text and list counts: text if list is nil.
type value struct {
	text   string
	list   *list
	expiry *expiry
}

type expiry struct {
	time  time.Time
	timer *time.Timer
}

type bucket map[string]*value

// Two cache lines, as there.
type lock struct {
	sync.Mutex
	_ [120]byte
}

type store struct {
	buckets [buckets]bucket // nil: nothing was ever put into it
	locks   [locks]lock
	seed    maphash.Seed
}

func newStore() *store { return &store{seed: maphash.MakeSeed()} }

func (s *store) bucketOf(key []byte) int { return int(maphash.Bytes(s.seed, key) % buckets) }

// A set of locks, a bit for each.
func (s *store) lockOf(key []byte) uint64 { return 1 << (s.bucketOf(key) % locks) }

func (s *store) lock(set uint64) {
	for rest := set; rest != 0; rest &= rest - 1 {
		s.locks[bits.TrailingZeros64(rest)].Lock()
	}
}

func (s *store) unlock(set uint64) {
	for rest := set; rest != 0; rest &= rest - 1 {
		s.locks[bits.TrailingZeros64(rest)].Unlock()
	}
}

// What follows is called with the key's lock held.

func (v *value) isOver() bool { return v.expiry != nil && !time.Now().Before(v.expiry.time) }

// nil: there is no such key, or its time has come.
func (s *store) find(key []byte) *value {
	found := s.buckets[s.bucketOf(key)][string(key)]
	if found != nil && found.isOver() {
		s.erase(key)
		return nil
	}
	return found
}

// Adds a key, or gives it another value; the value has no expiry.
func (s *store) set(key []byte, text string, l *list) *value {
	place := &s.buckets[s.bucketOf(key)]
	if *place == nil {
		*place = bucket{}
	}
	found := (*place)[string(key)]
	if found == nil {
		found = &value{}
		(*place)[string(key)] = found
	} else {
		found.persist()
	}
	found.text, found.list = text, l
	return found
}

func (s *store) erase(key []byte) bool {
	place := s.buckets[s.bucketOf(key)]
	found := place[string(key)]
	if found == nil {
		return false
	}
	wasThere := !found.isOver()
	found.persist()
	delete(place, string(key))
	return wasThere
}

func (s *store) expireIn(key []byte, v *value, duration time.Duration) {
	v.persist()
	name := append([]byte(nil), key...)
	v.expiry = &expiry{time.Now().Add(duration), time.AfterFunc(duration, func() {
		set := s.lockOf(name)
		s.lock(set)
		defer s.unlock(set)
		s.find(name) // it may have been given another value or time meanwhile
	})}
}

func (v *value) persist() {
	if v.expiry != nil {
		v.expiry.timer.Stop()
		v.expiry = nil
	}
}

// A ring that doubles when it is full.
type list struct {
	ring        []string
	first, size int
}

func newList() *list { return &list{ring: make([]string, listCapacity)} }

func (l *list) slot(index int) *string { return &l.ring[(l.first+index)%len(l.ring)] }

func (l *list) growIfFull() {
	if l.size < len(l.ring) {
		return
	}
	larger := make([]string, 2*len(l.ring))
	for index := 0; index < l.size; index++ {
		larger[index] = *l.slot(index)
	}
	l.ring, l.first = larger, 0
}

func (l *list) pushFront(text string) {
	l.growIfFull()
	l.first = (l.first + len(l.ring) - 1) % len(l.ring)
	l.size++
	*l.slot(0) = text
}

func (l *list) pushBack(text string) {
	l.growIfFull()
	l.size++
	*l.slot(l.size - 1) = text
}
