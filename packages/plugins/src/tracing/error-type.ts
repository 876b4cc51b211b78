/** What kind of error it is, for `error.type`: few different words, and nothing of its message. */

/** What OpenTelemetry has for what has no kind. */
const OTHER = '_OTHER'

export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return OTHER
  const { code } = error as { readonly code?: unknown }
  if (typeof code === 'string' && code !== '') return code
  return typeof error.name === 'string' && error.name !== '' ? error.name : OTHER
}
