/** Applications of Nest on a port of their own, on both platforms. */

import { type AddressInfo, createServer } from 'node:net'
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test, type TestingModuleBuilder } from '@nestjs/testing'
import { onTestFinished } from 'vitest'

export type Platform = 'Express' | 'Fastify'

export const PLATFORMS: readonly Platform[] = ['Express', 'Fastify']

export interface RunningApp {
  readonly app: INestApplication
  readonly url: string
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface AppOptions {
  readonly platform?: Platform
  /** Changes the module before it is compiled, as tests of applications do. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder
  /** Before it listens. */
  readonly prepare?: (app: INestApplication) => void
  readonly trustProxy?: boolean
}

/** Starts an application that is closed when the test ends. */
export async function startApp(
  parts: ModuleMetadata | Type,
  { platform = 'Express', override, prepare, trustProxy }: AppOptions = {},
): Promise<RunningApp> {
  const metadata = typeof parts === 'function' ? { imports: [parts] } : parts
  const builder = Test.createTestingModule(metadata)
  const module = await (override?.(builder) ?? builder).compile()
  const adapter =
    platform === 'Express'
      ? new ExpressAdapter()
      : // A client that is gone in the middle of a request must not hold up the end of a test.
        new FastifyAdapter({
          forceCloseConnections: true,
          ...(trustProxy === undefined ? {} : { trustProxy }),
        })
  const app = module.createNestApplication(adapter as never, { logger: false })
  if (platform === 'Express' && trustProxy !== undefined)
    (app as unknown as { set(name: string, value: unknown): void }).set('trust proxy', trustProxy)
  onTestFinished(() => app.close())
  prepare?.(app)
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return { app, url, get: (path, headers) => ask(url + path, headers) }
}

export async function ask(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, { headers: { ...headers } })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const body = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, text, body }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
