package main

import "net"

const (
	inputBytes  = 16 << 10 // of a buffer; it doubles when a request is larger
	outputBytes = 64 << 10 // of answers; then they are written before more is executed
)

// Executes the requests that each read has brought, and answers them by one write, as examples/kv/connection.cpp does.
// The buffers are kept, which spares Go's collector what malloc does there.
func serve(connection net.Conn, shared *store) {
	defer connection.Close()
	input := make([]byte, inputBytes)
	begin, end := 0, 0
	var requests parser
	var answers []byte
	for {
		if end == len(input) {
			input, begin, end = makeRoom(input, begin, end)
		}
		read, err := connection.Read(input[end:])
		if err != nil {
			return
		}
		end += read
		quit := false
		for begin < end && !quit {
			complete, err := requests.parse(input[begin:end])
			if err != nil {
				answers = appendError(answers, "ERR Protocol error: "+err.Error())
				quit = true
			} else if !complete {
				break
			} else {
				if len(requests.words) > 0 {
					answers = execute(requests.words, shared, answers)
				}
				begin += requests.consumed
			}
			if len(answers) > outputBytes {
				if _, err := connection.Write(answers); err != nil {
					return
				}
				answers = answers[:0]
			}
		}
		if len(answers) > 0 {
			if _, err := connection.Write(answers); err != nil {
				return
			}
			answers = answers[:0]
		}
		if quit {
			return
		}
		if begin == end {
			begin, end = 0, 0
		}
	}
}

// Moves what is left to the start of the buffer, or of one of twice the size.
func makeRoom(input []byte, begin, end int) ([]byte, int, int) {
	left := input[begin:end]
	if len(left) > len(input)/2 {
		input = make([]byte, 2*len(input))
	}
	return input, 0, copy(input, left)
}
