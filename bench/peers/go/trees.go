package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

func init() {
	addProgram("binary_trees/16", func() { runBinaryTrees(16, false) })
	addProgram("binary_trees/16_goroutines", func() { runBinaryTrees(16, true) })
	addProgram("binary_trees/18", func() { runBinaryTrees(18, false) })
	addProgram("gcbench", func() { gcbench("gcbench", 1) })
	addProgram("mt_gcbench", func() { gcbench("mt_gcbench", 4) })
}

type tree struct{ left, right *tree }

func makeTree(depth int) *tree {
	if depth <= 0 {
		return new(tree)
	}
	left := makeTree(depth - 1)
	right := makeTree(depth - 1)
	return &tree{left, right}
}

func countNodes(t *tree) int64 {
	if t.left == nil {
		return 1
	}
	return 1 + countNodes(t.left) + countNodes(t.right)
}

func buildAndCount(depth int, trees int64) {
	nodes := int64(0)
	for i := int64(0); i < trees; i++ {
		nodes += countNodes(makeTree(depth))
	}
	expect(nodes == trees*(2<<depth-1), "nodes of short-lived trees")
}

func binaryTrees(depthMax int, aGoroutinePerDepth bool) {
	const depthMin = 4
	buildAndCount(depthMax+1, 1)
	longLived := makeTree(depthMax)
	var depths sync.WaitGroup
	for depth := depthMin; depth <= depthMax; depth += 2 {
		depth, trees := depth, int64(1)<<(depthMax-depth+depthMin)
		if aGoroutinePerDepth {
			depths.Add(1)
			go func() {
				buildAndCount(depth, trees)
				depths.Done()
			}()
		} else {
			buildAndCount(depth, trees)
		}
	}
	depths.Wait()
	expect(countNodes(longLived) == 2<<depthMax-1, "nodes of the long-lived tree")
}

func runBinaryTrees(depthMax int, aGoroutinePerDepth bool) {
	name := fmt.Sprint("binary_trees/", depthMax)
	if aGoroutinePerDepth {
		name += "_goroutines"
	}
	if scaled(1000, 1) < 500 {
		depthMax -= 4
	}
	whole(name, int64(depthMax), func() { binaryTrees(depthMax, aGoroutinePerDepth) })
}

type gcNode struct {
	left, right *gcNode
	i, j        int64
}

func populate(depth int, n *gcNode) {
	if depth <= 0 {
		return
	}
	n.left = new(gcNode)
	n.right = new(gcNode)
	populate(depth-1, n.left)
	populate(depth-1, n.right)
}

func makeBottomUp(depth int) *gcNode {
	if depth <= 0 {
		return new(gcNode)
	}
	left := makeBottomUp(depth - 1)
	right := makeBottomUp(depth - 1)
	return &gcNode{left: left, right: right}
}

func nodesOf(depth int) int64 { return 2<<depth - 1 }

func countGcNodes(n *gcNode) int64 {
	if n.left == nil {
		return 1
	}
	return 1 + countGcNodes(n.left) + countGcNodes(n.right)
}

// The last tree of either kind is counted. Returns the number of nodes built.
func buildTreesOf(depth int, trees int64) int64 {
	var root *gcNode
	for i := int64(0); i < trees; i++ {
		root = new(gcNode)
		populate(depth, root)
	}
	expect(countGcNodes(root) == nodesOf(depth), "nodes of a tree built top down")
	for i := int64(0); i < trees; i++ {
		root = nil
		root = makeBottomUp(depth)
	}
	expect(countGcNodes(root) == nodesOf(depth), "nodes of a tree built bottom up")
	return 2 * trees * nodesOf(depth)
}

func buildTrees(stretch, longLived int) (nodes int64) {
	const depthMin = 4
	for depth := depthMin; depth <= longLived; depth += 2 {
		nodes += buildTreesOf(depth, 2*nodesOf(stretch)/nodesOf(depth))
	}
	return nodes
}

func gcbenchOf(stretch, longLived, goroutines int) int64 {
	const arraySize = 500000
	expect(countGcNodes(makeBottomUp(stretch)) == nodesOf(stretch), "nodes of the stretch tree")
	kept := new(gcNode)
	populate(longLived, kept)
	array := make([]float64, arraySize)
	for i := range array {
		array[i] = 1 / float64(i+1)
	}
	nodes := nodesOf(stretch) + nodesOf(longLived)
	var builders sync.WaitGroup
	for i := 1; i < goroutines; i++ {
		builders.Add(1)
		go func() {
			atomic.AddInt64(&nodes, buildTrees(stretch, longLived))
			builders.Done()
		}()
	}
	atomic.AddInt64(&nodes, buildTrees(stretch, longLived))
	builders.Wait()
	expect(countGcNodes(kept) == nodesOf(longLived), "nodes of the long-lived tree")
	for i := range array {
		expect(array[i] == 1/float64(i+1), "the long-lived array")
	}
	return nodes
}

func gcbench(name string, goroutines int) {
	less := 0
	if scaled(1000, 1) < 500 {
		less = 4
	}
	nodes := int64(0)
	whole(name, int64(18-less), func() { nodes = gcbenchOf(18-less, 16-less, goroutines) })
	recordChecksum(name, uint64(nodes))
}
