/** Where frameworks keep the settings that say which proxies they trust. */

/** The settings of an Express application; none of anything else. They may change while it runs. */
export function trustsInExpress(app: unknown): readonly unknown[] {
  const { get } = (app ?? {}) as { readonly get?: unknown }
  if (typeof get !== 'function') return []
  const settings = app as { get(name: string): unknown }
  return [settings.get('trust proxy'), settings.get('trust proxy fn')]
}

/** Fastify tells a plugin everything about its settings but this one, which it keeps under a symbol of its own. */
export function trustInFastify(app: object): unknown {
  const key = Object.getOwnPropertySymbols(app).find(
    ({ description }) => description === 'fastify.options',
  )
  const owner = app as Record<symbol, { readonly trustProxy?: unknown } | undefined>
  return key === undefined ? undefined : owner[key]?.trustProxy
}
