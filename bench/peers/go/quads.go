package main

import (
	"sync"
	"sync/atomic"
)

func init() { addProgram("quads", quads) }

// See workloads/quads.h for what is played.
type quad struct {
	child [4]*quad
	sum   int64
}

type quadTree struct {
	depth int
	random
	built int64
	root  *quad
}

func newQuadTree(depth int, seed random) *quadTree {
	t := &quadTree{depth: depth, random: seed}
	t.root = t.makeQuad(depth)
	return t
}

func (t *quadTree) makeQuad(height int) *quad {
	t.built++
	if height == 0 {
		return &quad{sum: int64(t.below(1000))}
	}
	a := t.makeQuad(height - 1)
	b := t.makeQuad(height - 1)
	c := t.makeQuad(height - 1)
	d := t.makeQuad(height - 1)
	return &quad{child: [4]*quad{a, b, c, d}, sum: a.sum + b.sum + c.sum + d.sum}
}

func (t *quadTree) turnPath() {
	at := t.root
	for height := t.depth; height > 0; height-- {
		first := at.child[0]
		for i := 0; i < 3; i++ {
			at.child[i] = at.child[i+1]
		}
		at.child[3] = first
		at = at.child[t.below(4)]
	}
}

func (t *quadTree) rebuildBelow(q *quad, height, level int) (growth int64) {
	way := t.below(4)
	if level > 1 {
		growth = t.rebuildBelow(q.child[way], height-1, level-1)
	} else {
		fresh := t.makeQuad(height - 1)
		growth = fresh.sum - q.child[way].sum
		q.child[way] = fresh
	}
	q.sum += growth
	return growth
}

func (t *quadTree) play(rounds, turns int) {
	for round := 0; round < rounds; round++ {
		for walk := 0; walk < turns; walk++ {
			t.turnPath()
		}
		level := 1 + int(t.below(uint64(t.depth)))
		t.rebuildBelow(t.root, t.depth, level)
	}
}

func checkedHash(q *quad, height int) uint64 {
	hash, sum := uint64(7), int64(0)
	for _, child := range q.child {
		expect((child != nil) == (height > 0), "a quadtree is not complete")
		if height > 0 {
			hash = hash*31 + checkedHash(child, height-1)
			sum += child.sum
		}
	}
	if height == 0 {
		return uint64(q.sum)
	}
	expect(sum == q.sum, "sum of a quadtree's node")
	return hash
}

func playQuads(depth, goroutines, rounds, turns int) (checksum uint64) {
	var owners sync.WaitGroup
	owners.Add(goroutines)
	for number := 0; number < goroutines; number++ {
		number := number
		go func() {
			tree := newQuadTree(depth, seedOf(number))
			tree.play(rounds, turns)
			atomic.AddUint64(&checksum, checkedHash(tree.root, depth)+uint64(tree.built))
			owners.Done()
		}()
	}
	owners.Wait()
	return checksum
}

func quads() {
	depth := 9
	if scaled(1000, 1) < 500 {
		depth -= 3
	}
	checksum := uint64(0)
	whole("quads", int64(depth), func() { checksum = playQuads(depth, 4, 300, 200) })
	recordChecksum("quads", checksum)
}
