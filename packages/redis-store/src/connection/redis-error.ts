/** Errors as they leave this package. */

/**
 * Removes what ioredis attaches to an error: the command with its arguments, among which are cached values, and the
 * password when the command was AUTH or HELLO.
 */
export function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if ('command' in error) delete error.command
  if ('lastNodeError' in error) withoutCommand(error.lastNodeError)
  return error
}

/** True for answers that mean "ask elsewhere, or again": the command did not run. */
export function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /.test(error.message)
}

/** True when the server does not know the script: it did not run. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

/** True when a key holds something that is not an entry of ours. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE')
}

/** True when the server is too old for a command. */
export function isUnknownCommand(error: unknown): boolean {
  return error instanceof Error && /^ERR unknown command/i.test(error.message)
}
