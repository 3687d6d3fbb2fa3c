import 'reflect-metadata';
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { SkipThrottle, seconds, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { Redis } from 'ioredis';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS, TIMEOUT_MS } = process.env;

const redis = new Redis(REDIS_URL, TIMEOUT_MS ? { commandTimeout: Number(TIMEOUT_MS) } : {});
redis.on('error', (error) => console.error(error.message));

class AppController {
  hello() {
    return 'hello';
  }

  health() {
    return 'ok';
  }
}
// What decorators do in TypeScript.
const { prototype } = AppController;
const decorate = (method, ...decorators) => {
  for (const decorator of decorators) {
    decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
  }
};
decorate('hello', Get('/'));
decorate('health', Get('/healthz'), SkipThrottle());
Controller()(AppController);

class AppModule {}
Module({
  imports: [
    ThrottlerModule.forRoot({
      throttlers: [{ limit: Number(LIMIT), ttl: seconds(Number(WINDOW_SECONDS)) }],
      getTracker: (request) => request.headers['x-api-key'] ?? request.ip,
      storage: new ThrottlerStorageRedisService(redis),
    }),
  ],
  controllers: [AppController],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(Number(PORT), HOST);
