import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Node's options that run TypeScript sources in a process of its own, packages resolved to their sources. */
export function sourceRunner(): string[] {
  // Resolved here, because `--import` would look from the working directory of the new process.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return ['--conditions=larder-source', '--import', tsx]
}
