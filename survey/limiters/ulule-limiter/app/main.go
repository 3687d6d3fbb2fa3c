package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	store "github.com/ulule/limiter/v3/drivers/store/redis"
)

func main() {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	if text := os.Getenv("TIMEOUT"); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil {
			log.Fatal(err)
		}
		options.ReadTimeout = timeout
		options.WriteTimeout = timeout
		options.MaxRetries = -1
	}
	limit, err := strconv.ParseInt(os.Getenv("LIMIT"), 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	window, err := strconv.Atoi(os.Getenv("WINDOW_SECONDS"))
	if err != nil {
		log.Fatal(err)
	}
	counts, err := store.NewStore(redis.NewClient(options))
	if err != nil {
		log.Fatal(err)
	}
	rate := limiter.Rate{Limit: limit, Period: time.Duration(window) * time.Second}
	middlewareOptions := []stdlib.Option{
		stdlib.WithKeyGetter(func(r *http.Request) string { return r.Header.Get("x-api-key") }),
	}
	if os.Getenv("HANDLE_ERRORS") == "true" {
		middlewareOptions = append(middlewareOptions,
			stdlib.WithErrorHandler(func(w http.ResponseWriter, _ *http.Request, err error) {
				log.Print(err)
				http.Error(w, "the limiter failed", http.StatusInternalServerError)
			}))
	}
	middleware := stdlib.NewMiddleware(limiter.New(counts, rate), middlewareOptions...)

	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok"))
	})
	http.Handle("GET /", middleware.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("hello"))
	})))
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
}
