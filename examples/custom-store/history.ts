/** Sequence numbers, logs and the tag clock. All are minted from the server's time, so that a lost history cannot continue. */

import type {
  EntryAddress,
  MutationReply,
  PartitionChanges,
  TagBump,
  TagChanges,
  TagHead,
} from '@larder/core/store'
import { bytesOf, type Step, textOf } from './step.ts'

const LOG_CAP = 512
const TAG_CAP = 100_000
const US_PER_MS = 1_000
/** How far apart two numbers may be that are minted while the clock is behind, µs. */
const SPREAD_US = 4_096

interface Head {
  readonly seq: number
  readonly floor: number
}

interface Clock extends TagHead {
  readonly retentionMs: number
}

/** Reads a partition's head and locks it until the step is over; creates it where there is none. */
export async function headOf(step: Step, partition: number): Promise<Head> {
  await step.query(`insert into larder_partitions values ($1, $2, $3, $3) on conflict do nothing`, [
    step.namespace,
    partition,
    step.nowUs,
  ])
  const [row] = await step.query<{ seq: unknown; floor: unknown }>(
    `select seq, floor from larder_partitions where namespace = $1 and partition = $2 for update`,
    [step.namespace, partition],
  )
  return { seq: Number(row?.seq), floor: Number(row?.floor) }
}

/** How keys were changed, as far as others have to know. */
interface Manner {
  readonly soft?: boolean
  readonly settleMs?: number
}

/** Mints the next number, logs the keys under it and publishes them. */
export async function record(
  step: Step,
  partition: number,
  keys: readonly string[],
  how: Manner = {},
): Promise<MutationReply> {
  const { namespace, nowMs } = step
  const { seq: previous } = await headOf(step, partition)
  const seq = mint(previous, step.nowUs)
  await step.query(
    `insert into larder_log select $1, $2, $3, key from unnest($4::bytea[]) key on conflict do nothing`,
    [namespace, partition, seq, keys.map(bytesOf)],
  )
  const [trimmed] = await step.query<{ floor: unknown }>(
    `with old as (
       delete from larder_log where ctid in (
         select ctid from larder_log where namespace = $1 and partition = $2
         order by seq desc, key desc offset ${LOG_CAP})
       returning seq)
     select max(seq) as floor from old`,
    [namespace, partition],
  )
  await step.query(
    `update larder_partitions set seq = $3, floor = greatest(floor, coalesce($4::bigint, 0))
     where namespace = $1 and partition = $2`,
    [namespace, partition, seq, trimmed?.floor ?? null],
  )
  await step.publish({ kind: 'keys', partition, previous, seq, keys, ...how })
  return { partition, previous, seq, nowMs }
}

export async function changesSince(
  step: Step,
  partition: number,
  since: number,
): Promise<PartitionChanges> {
  const { seq, floor } = await headOf(step, partition)
  if (since === seq) return { kind: 'delta', seq, keys: [] }
  const logged = await step.query<{ seq: unknown; key: Uint8Array }>(
    `select seq, key from larder_log where namespace = $1 and partition = $2 and seq >= $3 order by seq, key`,
    [step.namespace, partition, since],
  )
  if (!reachesBack(since, floor, logged)) return { kind: 'unknown', seq }
  return {
    kind: 'delta',
    seq,
    keys: logged.filter((item) => Number(item.seq) > since).map(({ key }) => textOf(key)),
  }
}

/** Tells whether a key was changed after a number, or may have been. */
export async function isOvertaken(
  step: Step,
  { partition, key }: EntryAddress,
  since: number,
): Promise<boolean> {
  if (since === 0) return false
  const { seq, floor } = await headOf(step, partition)
  if (since === seq) return false
  const logged = await step.query<{ seq: unknown; key: Uint8Array }>(
    `select seq, key from larder_log where namespace = $1 and partition = $2 and (seq = $4 or key = $3 and seq > $4)`,
    [step.namespace, partition, bytesOf(key), since],
  )
  return !reachesBack(since, floor, logged) || logged.some((item) => Number(item.seq) > since)
}

/** Only a number that was minted here proves itself: one between two others could come from a history that was lost. */
function reachesBack(
  since: number,
  floor: number,
  logged: readonly { readonly seq: unknown }[],
): boolean {
  return since === floor || (since > floor && logged.some((item) => Number(item.seq) === since))
}

/** The server's clock; where that is behind, a step that differs: counting on would repeat the numbers of a lost history. */
function mint(last: number, nowUs: number): number {
  return nowUs > last ? nowUs : last + 1 + (nowUs % SPREAD_US)
}

/** Reads the tag clock and locks it until the step is over; creates it where there is none. */
export async function clockOf(step: Step): Promise<Clock> {
  await step.query(`insert into larder_clocks values ($1, $2, $2, 0) on conflict do nothing`, [
    step.namespace,
    step.nowUs,
  ])
  const [row] = await step.query<{ version: unknown; floor: unknown; retention_ms: unknown }>(
    `select version, floor, retention_ms from larder_clocks where namespace = $1 for update`,
    [step.namespace],
  )
  return {
    version: Number(row?.version),
    floor: Number(row?.floor),
    retentionMs: Number(row?.retention_ms),
  }
}

export async function bumpTags(
  step: Step,
  tags: readonly string[],
  known: number,
  retentionMs: number,
): Promise<TagBump> {
  const clock = await clockOf(step)
  const previous = clock.version
  const version = mint(Math.max(previous, Math.floor(known)), step.nowUs)
  const retention = Math.max(clock.retentionMs, retentionMs)
  await setTags(
    step,
    tags.map((tag) => [tag, version] as const),
  )
  const [pruned] = await step.query<{ floor: unknown }>(
    `with old as (
       delete from larder_tags where namespace = $1 and version <= greatest($2::bigint, coalesce((
         select version from larder_tags where namespace = $1 order by version desc offset ${TAG_CAP} limit 1), 0))
       returning version)
     select max(version) as floor from old`,
    [step.namespace, version - retention * US_PER_MS],
  )
  const floor = Math.max(clock.floor, Number(pruned?.floor ?? 0))
  await saveClock(step, { version, floor, retentionMs: retention })
  await step.publish({ kind: 'tags', previous, version, floor, tags })
  return { previous, version, floor }
}

export async function tagsSince(step: Step, since: number): Promise<TagChanges> {
  const { version, floor } = await clockOf(step)
  const rows = await step.query<{ tag: Uint8Array; version: unknown }>(
    `select tag, version from larder_tags where namespace = $1 and version > $2 order by version, tag`,
    [step.namespace, Math.floor(since)],
  )
  return {
    version,
    floor,
    tags: rows.map((row) => [textOf(row.tag), Number(row.version)] as const),
  }
}

/** Gives each tag the higher of both versions. */
async function setTags(
  step: Step,
  tags: readonly (readonly [tag: string, version: number])[],
): Promise<void> {
  for (const [tag, version] of tags) {
    await step.query(
      `insert into larder_tags values ($1, $2, $3)
       on conflict (namespace, tag) do update set version = excluded.version
       where larder_tags.version < excluded.version`,
      [step.namespace, bytesOf(tag), version],
    )
  }
}

async function saveClock(step: Step, { version, floor, retentionMs }: Clock): Promise<void> {
  await step.query(
    `update larder_clocks set version = $2, floor = $3, retention_ms = $4 where namespace = $1`,
    [step.namespace, version, floor, retentionMs],
  )
}
