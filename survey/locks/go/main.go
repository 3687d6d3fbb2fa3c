// A lock of a library behind HTTP, as its documentation shows it: LIB, PORT and REDIS_URL in its environment.
// COMMAND_TIMEOUT sets a timeout for each command, in milliseconds, without retries. Default: those of go-redis.
// SENTINELS and MASTER replace the URL.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
)

const ttl = 5 * time.Second

// Acquires the lock of a key, and returns its release; nil without an error: others hold it.
type acquire func(ctx context.Context, key string) (func(context.Context) error, error)

func main() {
	options := &redis.UniversalOptions{}
	if sentinels := os.Getenv("SENTINELS"); sentinels != "" {
		options.Addrs, options.MasterName = strings.Split(sentinels, ","), os.Getenv("MASTER")
	} else {
		single, err := redis.ParseURL(os.Getenv("REDIS_URL"))
		if err != nil {
			log.Fatal(err)
		}
		options.Addrs = []string{single.Addr}
	}
	if milliseconds, err := strconv.Atoi(os.Getenv("COMMAND_TIMEOUT")); err == nil {
		options.ReadTimeout = time.Duration(milliseconds) * time.Millisecond
		options.MaxRetries = -1
	}
	client := redis.NewUniversalClient(options)
	locks := map[string]acquire{"redislock": ofRedislock(client), "redsync": ofRedsync(client)}[os.Getenv("LIB")]
	var held sync.Map

	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /locks/{key}", func(response http.ResponseWriter, request *http.Request) {
		release, err := locks(context.Background(), "lock:"+request.PathValue("key"))
		switch {
		case err != nil:
			response.WriteHeader(http.StatusServiceUnavailable)
		case release == nil:
			response.WriteHeader(http.StatusConflict)
		default:
			token := rand.Text()
			held.Store(token, release)
			_ = json.NewEncoder(response).Encode(map[string]string{"token": token})
		}
	})
	http.HandleFunc("DELETE /locks/{key}", func(response http.ResponseWriter, request *http.Request) {
		if release, ok := held.LoadAndDelete(request.Header.Get("X-Lock-Token")); ok {
			if err := release.(func(context.Context) error)(context.Background()); err != nil {
				response.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		response.WriteHeader(http.StatusNoContent)
	})
	host := os.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	log.Fatal(http.ListenAndServe(net.JoinHostPort(host, os.Getenv("PORT")), nil))
}

func ofRedislock(client redis.UniversalClient) acquire {
	locker := redislock.New(client)
	return func(ctx context.Context, key string) (func(context.Context) error, error) {
		lock, err := locker.Obtain(ctx, key, ttl, nil)
		if errors.Is(err, redislock.ErrNotObtained) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			err := lock.Release(ctx)
			if errors.Is(err, redislock.ErrLockNotHeld) {
				// It had ended before.
				return nil
			}
			return err
		}, nil
	}
}

func ofRedsync(client redis.UniversalClient) acquire {
	locker := redsync.New(goredis.NewPool(client))
	return func(ctx context.Context, key string) (func(context.Context) error, error) {
		mutex := locker.NewMutex(key, redsync.WithExpiry(ttl))
		var taken *redsync.ErrTaken
		err := mutex.TryLockContext(ctx)
		if errors.As(err, &taken) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			_, err := mutex.UnlockContext(ctx)
			if errors.Is(err, redsync.ErrLockAlreadyExpired) || errors.As(err, &taken) {
				// It had ended before.
				return nil
			}
			return err
		}, nil
	}
}
