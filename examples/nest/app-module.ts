/** The application: one cache manager, in process, or shared if there is a Redis. */

import { lruStore } from '@larder/local-store'
import { LarderModule } from '@larder/nest'
import { LarderHealthIndicator } from '@larder/nest/terminus'
import { redisStore } from '@larder/redis-store'
import { Module } from '@nestjs/common'
import { TerminusModule } from '@nestjs/terminus'
import { HealthController } from './health-controller.ts'
import { ProductController } from './product-controller.ts'
import { ProductRepository } from './product-repository.ts'

@Module({
  imports: [
    LarderModule.forRootAsync({
      useFactory: () => {
        const url = process.env['REDIS_URL']
        return {
          namespace: process.env['NAMESPACE'] ?? 'shop',
          local: lruStore({ maxEntries: 10_000 }),
          ...(url === undefined ? {} : { remote: redisStore({ url }) }),
        }
      },
    }),
    TerminusModule,
  ],
  controllers: [ProductController, HealthController],
  providers: [ProductRepository, LarderHealthIndicator],
})
export class AppModule {}
