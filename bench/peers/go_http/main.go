// The twin of examples/http_server in Go: the same pages, by net/http.
//
//	go-http -address 127.0.0.1:0
//
// It prints "listening on ADDRESS" and serves until it is killed. GOMAXPROCS is the number of processors.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const bodyBytesMax = 1 << 20

func greet(writer http.ResponseWriter, request *http.Request) {
	if request.URL.Path != "/" {
		http.NotFound(writer, request)
		return
	}
	writer.Header().Set("Content-Type", "text/plain")
	io.WriteString(writer, "Hello, World!")
}

func echo(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, bodyBytesMax))
	if err != nil {
		http.Error(writer, "", http.StatusRequestEntityTooLarge)
		return
	}
	writer.Header().Set("Content-Type", "text/plain")
	writer.Write(body)
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
	http.HandleFunc("/", greet)
	http.HandleFunc("/echo", echo)
	server := http.Server{ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	os.Exit(1)
}
