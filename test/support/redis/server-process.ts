/** One run of a Redis server, as a process or in a container. */
export interface ServerProcess {
  readonly pid: number
  readonly isRunning: boolean
  readonly ended: Promise<unknown>
  /** Tells whether the `process_id` that a server reports is this process. */
  isProcess(pid: number): boolean
  pause(): Promise<void>
  resume(): Promise<void>
  kill(): Promise<void>
  /** SIGTERM, then SIGKILL when that is ignored. */
  terminate(): Promise<void>
}
