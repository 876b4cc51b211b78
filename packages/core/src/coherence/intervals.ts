/** The times that coherence goes by and nobody sets, in one place: ms, and what each is for. */

export const INTERVALS = {
  /** With evictions waiting, the store is tried at least this often. */
  tryEveryMs: 800,
  /** Messages that do not fit make this node ask the store, but not more often than this. */
  suspicionEveryMs: 200,
  /** After a message about tags that the store knew nothing of, the next ones wait for a sync. */
  hearsayMs: 5_000,
  /** How long a doubt holds that nobody repeats: several tries of the evicting node. */
  doubtedForMs: 5_000,
  /** For how long a node remembers its own changes, to repeat those that the store has lost. */
  rememberedMs: 60_000,
  /** How far apart the positions in a partition's log are that a node remembers. */
  markEveryMs: 10_000,
  /** Wall clocks are set right by less than this without anybody having slept. */
  unrestMs: 500,
  /** A server's clock that is behind what was expected by more than this was set back. */
  setBackMs: 1_000,
  /** Reactions to messages that come too often pause, longer each time. */
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  /** So long without a reaction, and the pauses begin anew. */
  calmMs: 60_000,
} as const
