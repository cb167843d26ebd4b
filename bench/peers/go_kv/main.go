// The twin of examples/kv_server in Go: the commands that a benchmark needs, over the same store.
//
//	go-kv -address 127.0.0.1:0
//
// It prints "listening on ADDRESS" and serves until it is killed. GOMAXPROCS is the number of processors.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr())
	shared := newStore()
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		go serve(connection, shared)
	}
}
