import { randomUUID } from 'node:crypto'

/** A namespace nobody else uses. */
export function freshNamespace(): string {
  return `t-${randomUUID().slice(0, 13)}`
}
