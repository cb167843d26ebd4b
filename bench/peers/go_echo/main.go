// The twin of examples/echo_server in Go.
//
//	go-echo -address 127.0.0.1:0
//
// It prints "listening on ADDRESS" and serves until it is killed. GOMAXPROCS is the number of processors.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
)

func echo(connection net.Conn) {
	defer connection.Close()
	var buffer [1024]byte
	for {
		bytes, err := connection.Read(buffer[:])
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:bytes]); err != nil {
			return
		}
	}
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		go echo(connection)
	}
}
