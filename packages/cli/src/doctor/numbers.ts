/** Numbers in replies, which may be numbers or texts. */
export function listOfNumbers(reply: unknown): readonly number[] {
  return Array.isArray(reply) ? reply.map((item) => Number(String(item))) : []
}

/** A field of INFO as a number; `undefined` where the server does not say it. */
export function numberIn(info: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = info.get(name)
  const number = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}
