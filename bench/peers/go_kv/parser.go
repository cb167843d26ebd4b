package main

import (
	"bytes"
	"errors"
	"fmt"
)

const (
	wordsMax        = 1 << 20
	bulkBytesMax    = 512 << 20
	inlineBytesMax  = 64 << 10
	headerBytesMax  = 32
	bulkNotDue      = -1
	requestBytesMax = bulkBytesMax + 16<<20
)

// Requests: arrays of bulk strings, or lines of words separated by blanks. Incremental, as examples/kv/request_parser.h:
// what has been understood is not looked at again when more arrives.
type parser struct {
	words    [][]byte // after a whole request: views of the input
	consumed int      // likewise: the bytes that it took

	ranges    [][2]int
	position  int
	wordsLeft int // of the array; 0: a request begins
	bulkBytes int
}

// input begins where the last request ended. False: call again with the same bytes and more of them.
func (p *parser) parse(input []byte) (bool, error) {
	if p.wordsLeft == 0 {
		p.position, p.ranges, p.words, p.bulkBytes = 0, p.ranges[:0], p.words[:0], bulkNotDue
		if input[0] != '*' {
			return p.parseInline(input)
		}
		count, complete, err := p.header(input, '*', wordsMax)
		if !complete || err != nil {
			p.position = 0
			return false, err
		}
		p.wordsLeft = count
	}
	for p.wordsLeft > 0 {
		if complete, err := p.parseBulk(input); !complete || err != nil {
			return false, err
		}
	}
	for _, at := range p.ranges {
		p.words = append(p.words, input[at[0]:at[1]])
	}
	p.consumed = p.position
	return true, nil
}

func (p *parser) parseBulk(input []byte) (bool, error) {
	if p.bulkBytes == bulkNotDue {
		count, complete, err := p.header(input, '$', bulkBytesMax)
		if !complete || err != nil {
			return false, err
		}
		if p.position+count > requestBytesMax {
			return false, errors.New("too big a request")
		}
		p.bulkBytes = count
	}
	end := p.position + p.bulkBytes
	if len(input) < end+2 {
		return false, nil
	}
	if input[end] != '\r' || input[end+1] != '\n' {
		return false, errors.New("a bulk string is longer than announced")
	}
	p.ranges = append(p.ranges, [2]int{p.position, end})
	p.position, p.bulkBytes = end+2, bulkNotDue
	p.wordsLeft--
	return true, nil
}

// The count in the line at the position, which begins with kind; the position moves behind it.
func (p *parser) header(input []byte, kind byte, most int) (int, bool, error) {
	rest := input[p.position:]
	if len(rest) == 0 {
		return 0, false, nil
	}
	if rest[0] != kind {
		return 0, false, fmt.Errorf("expected '%c', got '%c'", kind, rest[0])
	}
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		if len(rest) > headerBytesMax {
			return 0, false, errors.New("too big count string")
		}
		return 0, false, nil
	}
	count, ok := parseInteger(bytes.TrimSuffix(rest[1:end], []byte("\r")))
	if !ok || count > int64(most) || (count < 0 && kind == '$') {
		return 0, false, errors.New("invalid length")
	}
	if count < 0 {
		count = 0 // an empty request
	}
	p.position += end + 1
	return int(count), true, nil
}

func (p *parser) parseInline(input []byte) (bool, error) {
	end := bytes.IndexByte(input, '\n')
	if end < 0 {
		if len(input) >= inlineBytesMax {
			return false, errors.New("too big inline request")
		}
		return false, nil
	}
	p.words = append(p.words, bytes.Fields(input[:end])...)
	p.consumed = end + 1
	return true, nil
}
