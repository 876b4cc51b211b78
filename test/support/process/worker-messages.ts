/** What a worker process and the test say to each other. */

/** From the test to the worker; each is answered under its id. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: 'start'; readonly moduleUrl: string; readonly init: unknown }
  | { readonly kind: 'call'; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'stop' }
)

/** From the worker to the test. */
export type WorkerReport =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError }
  /** A rejection or an exception that nobody handled. */
  | { readonly kind: 'unhandled'; readonly error: SentError }

/** An error on its way between processes, which by itself would lose its name and its `code`. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  readonly cause?: SentError
}

/** Makes an error fit to be sent. */
export function sendable(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: `thrown: ${String(error)}`, stack: '' }
  }
  const { name, message, stack = '', cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause === undefined ? {} : { cause: sendable(cause) }),
  }
}

/** Makes an error of what was sent: name, message, `code`, cause and the stack of the other process. */
export function received({ name, message, stack, code, cause }: SentError): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause: received(cause) })
  return Object.assign(error, { name, stack }, code === undefined ? {} : { code })
}
