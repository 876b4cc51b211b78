/** A Redis server of a test's own: to kill, pause, flush and restart. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { freePort } from '../free-port.ts'
import { type CommandArgument, runCommand } from './redis-command.ts'
import { LOG_FILE, startServerProcess } from './redis-process.ts'
import type { ServerProcess } from './server-process.ts'

/** How {@link startRedis} starts a server. */
export interface RedisServerOptions {
  /** Further options of redis-server, e.g. `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[]
  /** Default: a free one. */
  readonly port?: number
  /** Text of a config file that the server may rewrite, as Sentinel does. */
  readonly config?: string
}

/** How {@link RedisServer.restart} treats what is stored. */
export interface RestartOptions {
  /** True: the data survives, by a SAVE when the server still runs. Default false: it comes back empty. */
  readonly keepData?: boolean
}

const CONFIG_FILE = 'server.conf'
const STARTS_WITHIN_MS = 20_000
const START_TRIES = 5

/**
 * Starts a Redis server of the test's own on a free port of 127.0.0.1, in memory only, and waits until it answers.
 *
 * @throws Error with the end of the server's log, when it doesn't come up
 * @example await using redis = await startRedis({ args: ['--maxmemory', '2mb'] });
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let left = START_TRIES; ; left--) {
    const server = new RedisServer(options.port ?? (await freePort()), options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      const isPortTaken = String(error).includes('Address already in use')
      if (!isPortTaken || options.port !== undefined || left === 1) throw error
    }
  }
}

/** A Redis server that belongs to the test: it can be killed, frozen and restarted on its port. */
export class RedisServer implements AsyncDisposable {
  readonly host: string = '127.0.0.1'
  readonly port: number
  readonly #args: readonly string[]
  readonly #config: string | undefined
  readonly #password: string | undefined
  readonly #dir = mkdtempSync(join(tmpdir(), 'larder-redis-'))
  #process: ServerProcess | undefined
  #isPaused = false

  /** Use {@link startRedis}. */
  constructor(port: number, { args = [], config }: RedisServerOptions) {
    this.port = port
    this.#args = args
    this.#config = config
    const option = args.indexOf('--requirepass')
    this.#password = option < 0 ? undefined : args[option + 1]
  }

  get url(): string {
    const login = this.#password === undefined ? '' : `:${encodeURIComponent(this.#password)}@`
    return `redis://${login}${this.host}:${this.port}`
  }

  /** The process that runs, or ran last. */
  get pid(): number {
    return this.#current().pid
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false
  }

  /** True while it runs and isn't paused. */
  get isResponsive(): boolean {
    return this.isRunning && !this.#isPaused
  }

  /** Starts it where it was stopped or killed, with what its folder still holds. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`Redis on port ${this.port} is running already`)
    mkdirSync(this.#dir, { recursive: true })
    // Sentinel keeps its state in this file, so a restart must not overwrite it.
    const configPath = join(this.#dir, CONFIG_FILE)
    if (this.#config !== undefined && !existsSync(configPath))
      writeFileSync(configPath, this.#config)
    const server = await startServerProcess({
      port: this.port,
      dir: this.#dir,
      args: this.#args,
      ...(this.#config === undefined ? {} : { configFile: CONFIG_FILE }),
    })
    this.#process = server
    this.#isPaused = false
    const died = server.ended.then(() => {
      throw new Error(`Redis on port ${this.port} ended while starting:\n${this.log()}`)
    })
    died.catch(() => {}) // Later on its end is no news.
    await Promise.race([died, this.#answers(server)])
  }

  /** Stops it gracefully and removes its folder; does nothing when that is done already. */
  async stop(): Promise<void> {
    await this.#process?.terminate()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** SIGKILL: connections break, memory is gone, the folder stays. */
  async kill(): Promise<void> {
    await this.#current().kill()
  }

  /** SIGSTOP: it hangs with its sockets open; the operating system still accepts new connections for it. */
  async pause(): Promise<void> {
    this.#isPaused = true
    await this.#current().pause()
  }

  async resume(): Promise<void> {
    await this.#current().resume()
    this.#isPaused = false
  }

  /** Stops it if it runs, and starts it on the same port. A cluster node and a sentinel stay who they are. */
  async restart({ keepData = false }: RestartOptions = {}): Promise<void> {
    if (this.isRunning) {
      await this.resume()
      if (keepData) await this.command('SAVE')
      await this.#current().terminate()
    }
    if (!keepData) this.#forgetData()
    await this.start()
  }

  /**
   * Runs one command over a connection of its own, as redis-cli would.
   *
   * @throws the server's error reply, or the connection's error
   * @example await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
   */
  async command(name: string, ...args: readonly CommandArgument[]): Promise<unknown> {
    return runCommand({ host: this.host, port: this.port, password: this.#password }, name, ...args)
  }

  /** The end of the server's log. */
  log(): string {
    const path = join(this.#dir, LOG_FILE)
    return existsSync(path)
      ? readFileSync(path, 'utf8').split('\n').slice(-30).join('\n')
      : '(no log)'
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #answers(server: ServerProcess): Promise<void> {
    await eventually(
      `Redis answers on port ${this.port}`,
      () => this.command('PING'),
      STARTS_WITHIN_MS,
    )
    // The port may have been another's a moment before ours tried to bind it: then that one answered.
    const info = String(await this.command('INFO', 'server'))
    const pid = Number(/process_id:(\d+)/.exec(info)?.[1])
    if (server.isProcess(pid)) return
    throw new Error(`Port ${this.port}: Address already in use by another Redis`)
  }

  #forgetData(): void {
    for (const name of ['dump.rdb', 'appendonlydir', 'appendonly.aof']) {
      rmSync(join(this.#dir, name), { recursive: true, force: true })
    }
  }

  #current(): ServerProcess {
    if (this.#process === undefined) throw new Error(`Redis on port ${this.port} was never started`)
    return this.#process
  }
}
