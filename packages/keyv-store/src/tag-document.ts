/** The tag clock as one text under one key, for backends that can do no more than replace a value. */

import type { TagBump, TagChanges } from '@larder/core/store'

export interface TagDocument {
  readonly version: number
  readonly floor: number
  readonly retentionMs: number
  readonly tags: readonly (readonly [tag: string, version: number])[]
}

/** The whole document is written at every invalidation, so it holds fewer tags than a database would. */
export const TAG_CAP = 2_000

/** How far apart two versions may be that are minted while the clock is behind, µs: two histories rarely meet in one. */
const SPREAD_US = 4_096

/** A clock that begins anew invalidates what was born before: it is unknown what was invalidated until now. */
export function newTagDocument(nowUs: number): TagDocument {
  return { version: nowUs, floor: nowUs, retentionMs: 0, tags: [] }
}

/** Reads a document; `undefined` for anything else. */
export function parseTagDocument(text: unknown): TagDocument | undefined {
  if (typeof text !== 'string') return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  return isTagDocument(parsed) ? parsed : undefined
}

/** Returns the document with all the tags at one new version, and without what no entry can be older than. */
export function withBump(
  document: TagDocument,
  tags: readonly string[],
  request: { readonly known: number; readonly retentionMs: number; readonly nowUs: number },
): { readonly document: TagDocument; readonly bump: TagBump } {
  const { known, nowUs } = request
  const previous = document.version
  const version = mint(Math.max(previous, Math.floor(known)), nowUs)
  const retentionMs = Math.max(document.retentionMs, request.retentionMs)
  const versions = new Map(document.tags)
  for (const tag of tags) versions.set(tag, version)
  const pruned = prune(versions, version - retentionMs * 1_000)
  const floor = Math.max(document.floor, pruned.floor)
  return {
    document: { version, floor, retentionMs, tags: pruned.tags },
    bump: { previous, version, floor },
  }
}

export function changesSince({ version, floor, tags }: TagDocument, since: number): TagChanges {
  return { version, floor, tags: tags.filter(([, at]) => at > since) }
}

/** Counting on from a clock that is ahead would give the versions of a lost document to other tags. */
function mint(last: number, nowUs: number): number {
  return nowUs > last ? nowUs : last + 1 + (nowUs % SPREAD_US)
}

/** Drops tags that are old or too many, oldest first; the floor rises over what is dropped, so that nothing comes back to life. */
function prune(
  versions: ReadonlyMap<string, number>,
  oldest: number,
): { readonly tags: TagDocument['tags']; readonly floor: number } {
  const sorted = [...versions].sort(byVersion)
  const expired = sorted.filter(([, version]) => version <= oldest).length
  const dropped = Math.max(expired, sorted.length - TAG_CAP)
  const floor = sorted[dropped - 1]?.[1] ?? 0
  return { tags: sorted.filter(([, version]) => version > floor), floor }
}

function byVersion(a: readonly [string, number], b: readonly [string, number]): number {
  return a[1] - b[1]
}

function isTagDocument(value: unknown): value is TagDocument {
  if (typeof value !== 'object' || value === null) return false
  const { version, floor, retentionMs, tags } = value as Record<string, unknown>
  const numbers = [version, floor, retentionMs]
  return (
    numbers.every((number) => Number.isFinite(number)) && Array.isArray(tags) && tags.every(isPair)
  )
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'string' && Number.isFinite(value[1])
}
