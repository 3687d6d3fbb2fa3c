package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
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
	limit, err := strconv.Atoi(os.Getenv("LIMIT"))
	if err != nil {
		log.Fatal(err)
	}
	window, err := strconv.Atoi(os.Getenv("WINDOW_SECONDS"))
	if err != nil {
		log.Fatal(err)
	}
	burst := limit
	if text := os.Getenv("BURST"); text != "" {
		if burst, err = strconv.Atoi(text); err != nil {
			log.Fatal(err)
		}
	}
	failOpen := os.Getenv("FAIL_OPEN") == "true"
	limiter := redis_rate.NewLimiter(redis.NewClient(options))
	rate := redis_rate.Limit{Rate: limit, Burst: burst, Period: time.Duration(window) * time.Second}

	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok"))
	})
	http.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		result, err := limiter.Allow(r.Context(), r.Header.Get("x-api-key"), rate)
		if err != nil {
			log.Print(err)
			if !failOpen {
				http.Error(w, "the limiter failed", http.StatusInternalServerError)
				return
			}
		} else {
			w.Header().Set("RateLimit-Remaining", strconv.Itoa(result.Remaining))
			if result.Allowed == 0 {
				http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
				return
			}
		}
		w.Write([]byte("hello"))
	})
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
}
