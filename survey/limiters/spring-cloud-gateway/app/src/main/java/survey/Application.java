package survey;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.gateway.filter.ratelimit.KeyResolver;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

@SpringBootApplication
@RestController
public class Application {
  public static void main(String[] args) {
    int limit = Integer.parseInt(System.getenv("LIMIT"));
    int window = Integer.parseInt(System.getenv("WINDOW_SECONDS"));
    System.setProperty("CAPACITY", String.valueOf(limit * window));
    SpringApplication.run(Application.class, args);
  }

  @Bean
  KeyResolver apiKey() {
    return exchange -> Mono.justOrEmpty(exchange.getRequest().getHeaders().getFirst("x-api-key"));
  }

  @GetMapping("/hello")
  String hello() {
    return "hello";
  }

  @GetMapping("/healthz")
  String healthz() {
    return "ok";
  }
}
