// labapp is the program that the lab's workloads run: a server, a writer, a job, a sleep. It ends on SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func die(err error) {
	fmt.Fprintln(os.Stderr, "labapp:", err)
	os.Exit(1)
}

func ended() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	return signals
}

func uid() string {
	if value := os.Getenv("POD_UID"); value != "" {
		return value
	}
	host, _ := os.Hostname()
	return host
}

// serve answers until SIGTERM, then finishes the requests it has and ends with 0.
func serve(port int) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		host, _ := os.Hostname()
		fmt.Fprintf(w, "host=%s pod=%s uid=%s node=%s\n", host, os.Getenv("POD_NAME"), os.Getenv("POD_UID"), os.Getenv("NODE_NAME"))
	})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Handler: mux}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		die(err)
	}
	signals := ended()
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			die(err)
		}
	}()
	fmt.Println("serving on", listener.Addr())
	<-signals
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	server.Shutdown(limit)
}

// appendLines adds "UID time" to a file every second, each line on the disk before the next.
func appendLines(path string) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0644)
	if err != nil {
		die(err)
	}
	signals := ended()
	ticks := time.NewTicker(time.Second)
	for {
		if _, err := fmt.Fprintf(file, "%s %s\n", uid(), time.Now().UTC().Format(time.RFC3339)); err != nil {
			die(err)
		}
		if err := file.Sync(); err != nil {
			die(err)
		}
		select {
		case <-signals:
			return
		case <-ticks.C:
		}
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: labapp serve --port P | append --file F | once | sleep SECONDS")
	os.Exit(2)
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	port := flags.Int("port", 8080, "port to serve on")
	path := flags.String("file", "/data/lines", "file to append to")
	flags.Parse(os.Args[2:])
	switch os.Args[1] {
	case "serve":
		serve(*port)
	case "append":
		appendLines(*path)
	case "once":
		fmt.Println(uid(), time.Now().UTC().Format(time.RFC3339))
	case "sleep":
		seconds, err := strconv.ParseFloat(flags.Arg(0), 64)
		if err != nil {
			die(err)
		}
		select {
		case <-ended():
		case <-time.After(time.Duration(seconds * float64(time.Second))):
		}
	default:
		usage()
	}
}
