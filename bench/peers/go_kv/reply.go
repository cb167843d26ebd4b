package main

import (
	"math"
	"strconv"
)

func appendLine(output []byte, kind byte, text string) []byte {
	output = append(output, kind)
	output = append(output, text...)
	return append(output, '\r', '\n')
}

func appendNumber(output []byte, kind byte, number int64) []byte {
	output = append(output, kind)
	output = strconv.AppendInt(output, number, 10)
	return append(output, '\r', '\n')
}

func appendError(output []byte, text string) []byte    { return appendLine(output, '-', text) }
func appendInteger(output []byte, number int64) []byte { return appendNumber(output, ':', number) }
func appendArray(output []byte, size int) []byte       { return appendNumber(output, '*', int64(size)) }
func appendNull(output []byte) []byte                  { return append(output, "$-1\r\n"...) }

func appendBulk(output []byte, text string) []byte {
	output = appendNumber(output, '$', int64(len(text)))
	output = append(output, text...)
	return append(output, '\r', '\n')
}

// Only what printing an integer of 64 bits gives: no sign +, no leading zeros, no blanks. Allocates nothing.
func parseInteger(text []byte) (int64, bool) {
	digits, limit := text, uint64(math.MaxInt64)
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		digits, limit = text[1:], limit+1
	}
	if len(digits) == 0 || len(digits) > 19 || (digits[0] == '0' && len(text) > 1) {
		return 0, false
	}
	var sum uint64 // nineteen digits fit
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		sum = sum*10 + uint64(digit-'0')
	}
	if negative {
		return -int64(sum), sum <= limit
	}
	return int64(sum), sum <= limit
}
