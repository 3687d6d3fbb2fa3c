package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/limiter"
	storage "github.com/gofiber/storage/redis/v3"
	"github.com/redis/go-redis/v9"
)

func main() {
	limit, err := strconv.Atoi(os.Getenv("LIMIT"))
	if err != nil {
		log.Fatal(err)
	}
	window, err := strconv.Atoi(os.Getenv("WINDOW_SECONDS"))
	if err != nil {
		log.Fatal(err)
	}
	config := limiter.Config{
		Max:          limit,
		Expiration:   time.Duration(window) * time.Second,
		KeyGenerator: func(c fiber.Ctx) string { return c.Get("x-api-key") },
		Storage:      counts(),
	}
	if os.Getenv("SLIDING") == "true" {
		config.LimiterMiddleware = limiter.SlidingWindow{}
	}

	app := fiber.New()
	app.Get("/healthz", func(c fiber.Ctx) error { return c.SendString("ok") })
	app.Use(limiter.New(config))
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("hello") })
	log.Fatal(app.Listen(os.Getenv("HOST")+":"+os.Getenv("PORT"), fiber.ListenConfig{DisableStartupMessage: true}))
}

func counts() fiber.Storage {
	text := os.Getenv("TIMEOUT")
	if text == "" {
		return storage.New(storage.Config{URL: os.Getenv("REDIS_URL")})
	}
	timeout, err := time.ParseDuration(text)
	if err != nil {
		log.Fatal(err)
	}
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	options.ReadTimeout = timeout
	options.WriteTimeout = timeout
	options.MaxRetries = -1
	return storage.NewFromConnection(redis.NewClient(options))
}
