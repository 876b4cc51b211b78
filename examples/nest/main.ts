/** Starts the shop, and ends it at SIGTERM: what is under way, then its connections, then the cache manager. */

import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app-module.ts'

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
app.enableShutdownHooks()
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1')
console.log(`The shop listens at ${await app.getUrl()}`)
