package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

type command struct {
	arity                      int // words, the name included; negative: at least so many
	firstKey, lastKey, keyStep int // as Redis tells it; 0: none
	execute                    func(words [][]byte, s *store, output []byte) []byte
}

var commands map[string]command

func init() {
	commands = map[string]command{
		"command": {-1, 0, 0, 0, describe},
		"config":  {-2, 0, 0, 0, config},
		"del":     {-2, 1, -1, 1, del},
		"expire":  {3, 1, 1, 1, expire},
		"get":     {2, 1, 1, 1, get},
		"incr":    {2, 1, 1, 1, incr},
		"info":    {-1, 0, 0, 0, info},
		"lpush":   {-3, 1, 1, 1, lpush},
		"lrange":  {4, 1, 1, 1, lrange},
		"memory":  {2, 0, 0, 0, memory},
		"mget":    {-2, 1, -1, 1, mget},
		"mset":    {-3, 1, -1, 2, mset},
		"ping":    {-1, 0, 0, 0, ping},
		"rpush":   {-3, 1, 1, 1, rpush},
		"set":     {-3, 1, 1, 1, set},
		"ttl":     {2, 1, 1, 1, ttl},
	}
}

const (
	wrongType    = "WRONGTYPE Operation against a key holding the wrong kind of value"
	notAnInteger = "ERR value is not an integer or out of range"
	syntaxError  = "ERR syntax error"
	nameBytesMax = 8
)

func findCommand(name []byte) (command, bool) {
	var lower [nameBytesMax]byte
	if len(name) > len(lower) {
		return command{}, false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	found, ok := commands[string(lower[:len(name)])]
	return found, ok
}

func (c *command) locksOf(words [][]byte, s *store) uint64 {
	if c.firstKey == 0 {
		return 0
	}
	last := c.lastKey
	if last < 0 {
		last += len(words)
	}
	var set uint64
	for i := c.firstKey; i <= last; i += c.keyStep {
		set |= s.lockOf(words[i])
	}
	return set
}

// Appends the answer to output.
func execute(words [][]byte, s *store, output []byte) []byte {
	c, ok := findCommand(words[0])
	if !ok {
		return appendError(output, "ERR unknown command '"+string(words[0])+"'")
	}
	if len(words) != c.arity && (c.arity > 0 || len(words) < -c.arity) {
		return wrongNumber(output, strings.ToLower(string(words[0])))
	}
	set := c.locksOf(words, s)
	s.lock(set)
	output = c.execute(words, s, output)
	s.unlock(set)
	return output
}

func wrongNumber(output []byte, name string) []byte {
	return appendError(output, "ERR wrong number of arguments for '"+name+"' command")
}

func appendOk(output []byte) []byte { return append(output, "+OK\r\n"...) }

// -- Strings

func get(words [][]byte, s *store, output []byte) []byte {
	found := s.find(words[1])
	if found == nil {
		return appendNull(output)
	}
	if found.list != nil {
		return appendError(output, wrongType)
	}
	return appendBulk(output, found.text)
}

func mget(words [][]byte, s *store, output []byte) []byte {
	output = appendArray(output, len(words)-1)
	for _, key := range words[1:] {
		if found := s.find(key); found != nil && found.list == nil {
			output = appendBulk(output, found.text)
		} else {
			output = appendNull(output)
		}
	}
	return output
}

func mset(words [][]byte, s *store, output []byte) []byte {
	if len(words)%2 == 0 {
		return wrongNumber(output, "mset")
	}
	for i := 1; i < len(words); i += 2 {
		s.set(words[i], string(words[i+1]), nil)
	}
	return appendOk(output)
}

// SET KEY VALUE [EX seconds | PX milliseconds]
func set(words [][]byte, s *store, output []byte) []byte {
	if len(words) == 3 {
		s.set(words[1], string(words[2]), nil)
		return appendOk(output)
	}
	if len(words) != 5 {
		return appendError(output, syntaxError)
	}
	unit := time.Second
	switch strings.ToLower(string(words[3])) {
	case "ex":
	case "px":
		unit = time.Millisecond
	default:
		return appendError(output, syntaxError)
	}
	amount, ok := parseInteger(words[4])
	if !ok {
		return appendError(output, notAnInteger)
	}
	if amount <= 0 || amount > math.MaxInt64/int64(unit) {
		return appendError(output, "ERR invalid expire time in 'set' command")
	}
	s.expireIn(words[1], s.set(words[1], string(words[2]), nil), time.Duration(amount)*unit)
	return appendOk(output)
}

// The expiry stays.
func incr(words [][]byte, s *store, output []byte) []byte {
	found := s.find(words[1])
	var number int64
	if found != nil {
		if found.list != nil {
			return appendError(output, wrongType)
		}
		var ok bool
		if number, ok = parseInteger([]byte(found.text)); !ok {
			return appendError(output, notAnInteger)
		}
	}
	if number == math.MaxInt64 {
		return appendError(output, "ERR increment or decrement would overflow")
	}
	text := strconv.FormatInt(number+1, 10)
	if found != nil {
		found.text = text
	} else {
		s.set(words[1], text, nil)
	}
	return appendInteger(output, number+1)
}

// -- Lists

func lpush(words [][]byte, s *store, output []byte) []byte {
	return push(words, s, output, (*list).pushFront)
}
func rpush(words [][]byte, s *store, output []byte) []byte {
	return push(words, s, output, (*list).pushBack)
}

func push(words [][]byte, s *store, output []byte, pushOne func(*list, string)) []byte {
	found := s.find(words[1])
	if found == nil {
		found = s.set(words[1], "", newList())
	}
	if found.list == nil {
		return appendError(output, wrongType)
	}
	for _, text := range words[2:] {
		pushOne(found.list, string(text))
	}
	return appendInteger(output, int64(found.list.size))
}

func lrange(words [][]byte, s *store, output []byte) []byte {
	first, ok := parseInteger(words[2])
	last, okToo := parseInteger(words[3])
	if !ok || !okToo {
		return appendError(output, notAnInteger)
	}
	found := s.find(words[1])
	if found == nil {
		return appendArray(output, 0)
	}
	if found.list == nil {
		return appendError(output, wrongType)
	}
	size := int64(found.list.size)
	if first < 0 {
		first += size
	}
	if first < 0 {
		first = 0
	}
	if last < 0 {
		last += size
	}
	if last >= size {
		last = size - 1
	}
	if last < first {
		return appendArray(output, 0)
	}
	output = appendArray(output, int(last-first+1))
	for i := first; i <= last; i++ {
		output = appendBulk(output, *found.list.slot(int(i)))
	}
	return output
}

// -- Keys

func del(words [][]byte, s *store, output []byte) []byte {
	var deleted int64
	for _, key := range words[1:] {
		if s.erase(key) {
			deleted++
		}
	}
	return appendInteger(output, deleted)
}

func expire(words [][]byte, s *store, output []byte) []byte {
	seconds, ok := parseInteger(words[2])
	if !ok {
		return appendError(output, notAnInteger)
	}
	if seconds > math.MaxInt64/int64(time.Second) {
		return appendError(output, "ERR invalid expire time in 'expire' command")
	}
	found := s.find(words[1])
	if found == nil {
		return appendInteger(output, 0)
	}
	if seconds <= 0 {
		s.erase(words[1])
	} else {
		s.expireIn(words[1], found, time.Duration(seconds)*time.Second)
	}
	return appendInteger(output, 1)
}

func ttl(words [][]byte, s *store, output []byte) []byte {
	found := s.find(words[1])
	if found == nil {
		return appendInteger(output, -2)
	}
	if found.expiry == nil {
		return appendInteger(output, -1)
	}
	return appendInteger(output, int64(time.Until(found.expiry.time).Round(time.Second)/time.Second))
}
