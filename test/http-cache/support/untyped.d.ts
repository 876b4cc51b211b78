/** The public tests of HTTP caches have no types. */

declare module 'http-cache-tests/tests/index.mjs' {
  const suites: import('./public-suite.ts').PublicSuite[]

  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default suites
}
declare module 'http-cache-tests/client/config.mjs' {
  export function setFetch(ask: unknown): void
  export function setBaseUrl(url: string): void
}
declare module 'http-cache-tests/client/test.mjs' {
  export function makeCacheTest(test: import('./public-suite.ts').PublicTest): Promise<void>
  /** By id: true, or the name and the message of what was not so. */
  export const testResults: Record<string, true | readonly [string, string]>
}
declare module 'http-cache-tests/server/handle-config.mjs' {
  const handle: import('./public-suite.ts').PublicHandler

  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default handle
}
declare module 'http-cache-tests/server/handle-state.mjs' {
  const handle: import('./public-suite.ts').PublicHandler

  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default handle
}
declare module 'http-cache-tests/server/handle-test.mjs' {
  const handle: import('./public-suite.ts').PublicHandler

  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default handle
}
