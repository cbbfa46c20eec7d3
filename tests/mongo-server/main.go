// Command mongo-server is a server that speaks MongoDB's protocol, for tests on machines without a mongod: FerretDB with
// its SQLite backend, on 127.0.0.1. It prints its URI when it listens, and ends on SIGTERM, on SIGINT and when its
// standard input closes, so that it does not outlive whoever started it (`-detached` leaves standard input alone).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// How long connections may take to end; FerretDB itself would wait longer for clients that stay.
const grace = 500 * time.Millisecond

func main() {
	port := flag.Int("port", 0, "TCP port; 0 takes a free one")
	state := flag.String("state", "", "folder of the databases, made where it is missing")
	detached := flag.Bool("detached", false, "go on when standard input closes")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("mongo-server: ")

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server, err := open(*port, *state)
	if err != nil {
		log.Fatal(err)
	}
	if !*detached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	fmt.Println(server.MongoDBURI())
	<-ctx.Done()
	select {
	case <-ended:
	case <-time.After(grace):
	}
}

// open listens at once. The embedded package neither makes nor runs FerretDB's telemetry reporter.
func open(port int, state string) (*ferretdb.FerretDB, error) {
	if state == "" {
		return nil, fmt.Errorf("-state must name a folder")
	}
	folder, err := filepath.Abs(state)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: fmt.Sprintf("127.0.0.1:%d", port)},
		Handler:   "sqlite",
		SQLiteURL: "file:" + folder + "/",
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
}
