/** The kind of an error, for `error.type`: one of few words, without anything of its message. */

/** The word of OpenTelemetry for an error without a kind. */
const OTHER = '_OTHER'

export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return OTHER
  const { code } = error as { readonly code?: unknown }
  if (typeof code === 'string' && code !== '') return code
  return typeof error.name === 'string' && error.name !== '' ? error.name : OTHER
}
