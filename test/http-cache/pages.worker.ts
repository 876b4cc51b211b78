/** A process with a server of Express whose pages wait until the test lets them be rendered. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { httpCache } from '@larder/plugins/express'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import express from 'express'

export interface PagesWorkerInit {
  readonly namespace: string
  readonly store: RedisStoreOptions
  readonly name: string
}

let caches: CacheManager
let name = ''
let renders = 0
let goOn = (): void => undefined
let gate = new Promise<void>((resolve) => {
  goOn = resolve
})
let close = (): void => undefined

function start(init: PagesWorkerInit): void {
  name = init.name
  const remote = redisStore(init.store)
  caches = createCacheManager({ namespace: init.namespace, local: lruStore(), remote })
}

/** Starts the server, and returns its port. */
async function listen(): Promise<number> {
  const app = express()
  app.get('/page', httpCache({ caches, ttl: '1h' }), async (_, response) => {
    renders += 1
    await gate
    response.send(`rendered by ${name}`)
  })
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  return (server.address() as AddressInfo).port
}

/** How often its handler ran. */
function rendered(): number {
  return renders
}

/** Lets handlers go on, from now on. */
function render(): void {
  goOn()
  gate = Promise.resolve()
}

async function evict(path: string): Promise<void> {
  await httpCache.evict(caches, path)
}

async function stop(): Promise<void> {
  close()
  await caches.close()
}

export const worker = { start, listen, rendered, render, evict, stop }
