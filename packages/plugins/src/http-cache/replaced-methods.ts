/** What of a response is replaced while a handler writes it, and how it is brought back. */

import type { ServerResponse } from 'node:http'

export const WRITING = [
  'writeHead',
  'write',
  'end',
  'flushHeaders',
  'headersSent',
  'writableEnded',
] as const
export const SETTING = ['setHeader', 'appendHeader', 'removeHeader', 'setHeaders'] as const
export type Replaced = (typeof WRITING)[number] | (typeof SETTING)[number]

export function restore(
  response: ServerResponse,
  name: Replaced,
  descriptor: PropertyDescriptor | undefined,
): void {
  if (descriptor !== undefined) Object.defineProperty(response, name, descriptor)
  else delete (response as unknown as Record<string, unknown>)[name]
}
