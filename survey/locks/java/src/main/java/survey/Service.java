package survey;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.BaseConfig;
import org.redisson.config.Config;

/**
 * A lock of Redisson behind HTTP, as its documentation shows it: PORT and REDIS_URL in its environment. COMMAND_TIMEOUT
 * sets a timeout for each command, in milliseconds, without retries. Default: the settings of Redisson. SENTINELS and
 * MASTER replace the URL.
 */
public class Service {
  private static final long TTL_MS = 5000;
  private static final Map<String, String> ENV = System.getenv();

  /** A lock belongs to a thread; the release comes in another one, so each acquire has an id of its own. */
  private record Held(RLock lock, long threadId) {}

  private final Map<String, Held> held = new ConcurrentHashMap<>();
  private final AtomicLong threadIds = new AtomicLong();
  private final RedissonClient redisson;

  private Service(RedissonClient redisson) {
    this.redisson = redisson;
  }

  public static void main(String[] args) throws IOException {
    var config = new Config();
    BaseConfig<?> redis =
        ENV.containsKey("SENTINELS") ? ofSentinels(config)
            : config.useSingleServer().setAddress(ENV.get("REDIS_URL"));
    if (ENV.containsKey("COMMAND_TIMEOUT")) {
      redis.setTimeout(Integer.parseInt(ENV.get("COMMAND_TIMEOUT"))).setRetryAttempts(0);
    }
    var service = new Service(Redisson.create(config));
    var address = new InetSocketAddress(ENV.getOrDefault("HOST", "127.0.0.1"), Integer.parseInt(ENV.get("PORT")));
    var http = HttpServer.create(address, 0);
    http.setExecutor(Executors.newCachedThreadPool());
    http.createContext("/healthz", exchange -> reply(exchange, 200, ""));
    http.createContext("/locks/", service::handle);
    http.start();
  }

  private static BaseConfig<?> ofSentinels(Config config) {
    var sentinels = config.useSentinelServers().setMasterName(ENV.get("MASTER"));
    for (String address : ENV.get("SENTINELS").split(",")) {
      sentinels.addSentinelAddress("redis://" + address);
    }
    return sentinels;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try {
      if (exchange.getRequestMethod().equals("DELETE")) {
        release(exchange.getRequestHeaders().getFirst("X-Lock-Token"));
        reply(exchange, 204, "");
        return;
      }
      String path = exchange.getRequestURI().getPath();
      String token = acquire("lock:" + path.substring(path.lastIndexOf('/') + 1));
      reply(exchange, token == null ? 409 : 200, token == null ? "" : "{\"token\":\"" + token + "\"}");
    } catch (ExecutionException | InterruptedException error) {
      reply(exchange, 503, "");
    }
  }

  /** Null: others hold it. */
  private String acquire(String key) throws ExecutionException, InterruptedException {
    var acquired = new Held(redisson.getLock(key), threadIds.incrementAndGet());
    if (!acquired.lock.tryLockAsync(0, TTL_MS, TimeUnit.MILLISECONDS, acquired.threadId).get()) {
      return null;
    }
    String token = UUID.randomUUID().toString();
    held.put(token, acquired);
    return token;
  }

  private void release(String token) throws ExecutionException, InterruptedException {
    Held acquired = token == null ? null : held.remove(token);
    if (acquired == null) {
      return;
    }
    try {
      acquired.lock.unlockAsync(acquired.threadId).get();
    } catch (ExecutionException error) {
      // It had ended before.
      if (!(error.getCause() instanceof IllegalMonitorStateException)) {
        throw error;
      }
    }
  }

  private static void reply(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes();
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }
}
