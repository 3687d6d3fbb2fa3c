package survey;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.RemoteBucketBuilder;
import io.github.bucket4j.distributed.proxy.optimization.DelayParameters;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.filter.OncePerRequestFilter;

@SpringBootApplication
@RestController
public class Application {
  private static final Map<String, String> ENV = System.getenv();

  public static void main(String[] args) {
    System.setProperty("server.address", ENV.get("HOST"));
    System.setProperty("server.port", ENV.get("PORT"));
    SpringApplication.run(Application.class, args);
  }

  @Bean
  ProxyManager<byte[]> buckets() {
    var builder =
        Bucket4jLettuce.casBasedBuilder(RedisClient.create(ENV.get("REDIS_URL")))
            .expirationAfterWrite(
                ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(10)));
    if (ENV.containsKey("TIMEOUT_MS")) {
      builder.requestTimeout(Duration.ofMillis(Long.parseLong(ENV.get("TIMEOUT_MS"))));
    }
    return builder.build();
  }

  @Bean
  OncePerRequestFilter limiter(ProxyManager<byte[]> buckets) {
    long limit = Long.parseLong(ENV.get("LIMIT"));
    Duration window = Duration.ofSeconds(Long.parseLong(ENV.get("WINDOW_SECONDS")));
    BucketConfiguration configuration =
        BucketConfiguration.builder()
            .addLimit(bandwidth -> bandwidth.capacity(limit).refillGreedy(limit, window))
            .build();
    RemoteBucketBuilder<byte[]> builder = buckets.builder();
    if (ENV.containsKey("DELAY_TOKENS")) {
      long tokens = Long.parseLong(ENV.get("DELAY_TOKENS"));
      builder =
          builder.withOptimization(
              Optimizations.delaying(new DelayParameters(tokens, Duration.ofSeconds(1))));
    }
    RemoteBucketBuilder<byte[]> ready = builder;
    // An optimized bucket remembers what it has not yet told to Redis.
    Map<String, Bucket> known = new ConcurrentHashMap<>();

    return new OncePerRequestFilter() {
      @Override
      protected boolean shouldNotFilter(HttpServletRequest request) {
        return request.getRequestURI().equals("/healthz");
      }

      @Override
      protected void doFilterInternal(
          HttpServletRequest request, HttpServletResponse response, FilterChain chain)
          throws ServletException, IOException {
        String key = "bucket:" + request.getHeader("x-api-key");
        Bucket bucket = known.computeIfAbsent(key, (name) -> ready.build(name.getBytes(UTF_8), () -> configuration));
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        response.setHeader("X-Rate-Limit-Remaining", String.valueOf(probe.getRemainingTokens()));
        if (probe.isConsumed()) {
          chain.doFilter(request, response);
        } else {
          response.sendError(429);
        }
      }
    };
  }

  @GetMapping("/")
  String hello() {
    return "hello";
  }

  @GetMapping("/healthz")
  String healthz() {
    return "ok";
  }
}
