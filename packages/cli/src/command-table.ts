/**
 * What commands there are and what they take: the one source of what is parsed, of `--help`, and of the reference page.
 */

export interface OptionRow {
  readonly name: string
  readonly short?: string
  /** What follows it; absent for a switch. */
  readonly value?: string
  readonly meaning: string
}

export interface ArgumentRow {
  readonly name: string
  readonly isOptional?: boolean
  readonly isMany?: boolean
}

export interface CommandRow {
  readonly name: string
  readonly summary: string
  /** What else there is to know, a paragraph. */
  readonly more?: string
  readonly takes?: readonly ArgumentRow[]
  readonly options?: readonly OptionRow[]
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** @default true */
  readonly needsNamespace?: boolean
  /** It goes on where the connection is lost, over one of its own that comes back. @default false */
  readonly isLasting?: boolean
}

/** Options of every command. */
export const GLOBAL_OPTIONS: readonly OptionRow[] = [
  {
    name: 'namespace',
    short: 'n',
    value: 'NAME',
    meaning: 'the namespace of the manager; or LARDER_NAMESPACE',
  },
  {
    name: 'url',
    value: 'URL',
    meaning:
      'redis:// or rediss://, several with commas; or LARDER_URL, REDIS_URL. A password belongs into the variable',
  },
  { name: 'cluster', meaning: 'the URLs are nodes of a Cluster' },
  { name: 'sentinel', value: 'NAME', meaning: 'the URLs are sentinels of the master of this name' },
  {
    name: 'ca',
    value: 'FILE',
    meaning: 'certificate of the authority to trust for rediss://, PEM',
  },
  {
    name: 'config',
    value: 'FILE',
    meaning:
      'a .mjs or .js file that exports a manager or connection options; or LARDER_CONFIG, or larder.config.mjs here',
  },
  { name: 'json', meaning: 'one JSON object per line, for programs' },
  { name: 'no-color', meaning: 'no colours; NO_COLOR does the same' },
  { name: 'help', short: 'h', meaning: 'explain the command' },
]

const SCAN: OptionRow = {
  name: 'scan',
  value: 'N',
  meaning:
    'look at about N keys of the server at the most, those of other applications included; 0 for all',
}
const LIMIT: OptionRow = { name: 'limit', value: 'N', meaning: 'end after N results' }
const YES: OptionRow = {
  name: 'yes',
  short: 'y',
  meaning: 'do not ask; needed where nobody can be asked',
}
const DRY_RUN: OptionRow = { name: 'dry-run', meaning: 'say what would be done, and do nothing' }
const SOFT: OptionRow = {
  name: 'soft',
  meaning: 'keep the values for loads that fail (staleIfError)',
}

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'namespaces',
    summary: 'List the namespaces that a server holds',
    more: 'They are told by the form of their keys. A scan that did not reach all keys says so.',
    options: [SCAN],
    examples: [['larder namespaces', 'which names --namespace can have']],
    needsNamespace: false,
  },
  {
    name: 'stats',
    summary: 'Show a namespace in numbers: entries, changes, tags, nodes, memory',
    more: 'Hits and loads are counted by nodes: they are the sum over the nodes that report (the option `fleet` of a manager), and unknown where none does.',
    options: [SCAN],
    examples: [['larder stats -n shop', 'the namespace shop in numbers']],
  },
  {
    name: 'caches',
    summary:
      'List the caches of a namespace, with how many entries they have and how large they are',
    options: [SCAN],
    examples: [['larder caches -n shop', 'all caches, the largest first']],
  },
  {
    name: 'keys',
    summary: 'List keys of entries',
    more: 'Each key is printed at least once, in no order, while the scan runs; memory does not grow with their number.',
    takes: [{ name: 'PREFIX', isOptional: true }],
    options: [
      { name: 'long', short: 'l', meaning: 'with state, time left and size' },
      { name: 'tag', value: 'TAG', meaning: 'only entries that carry the tag' },
      LIMIT,
      SCAN,
    ],
    examples: [
      ['larder keys products: -n shop', 'all keys of the cache products'],
      ['larder keys -n shop --tag shop:7 --long', 'what the tag shop:7 is on'],
    ],
  },
  {
    name: 'show',
    summary: 'Show what is stored of a key: times, tags, size, lease; with --values the value',
    more: 'KEY is a full key: the name of the cache, a colon, the key. A value is decoded where no step such as encryption or compression stands before it.',
    takes: [{ name: 'KEY' }],
    options: [{ name: 'values', meaning: 'show the value as well' }],
    examples: [['larder show products:42 -n shop', 'the header of an entry']],
  },
  {
    name: 'explain',
    summary: 'Say why a read of a key would hit, miss or be stale now',
    more: 'For a node that has nothing of its own in process. What decides is in Redis: the header, the tag clock and its floor, the lease, the log.',
    takes: [{ name: 'KEY' }],
    examples: [['larder explain products:42 -n shop', 'why is it loaded again and again?']],
  },
  {
    name: 'evict',
    summary: 'Evict keys, on all nodes',
    more: 'Done by the scripts that nodes use: numbered, logged and published. With - the keys come from stdin, one per line, as text or as `larder keys --json` prints them.',
    takes: [{ name: 'KEY', isMany: true, isOptional: true }],
    options: [
      {
        name: 'prefix',
        value: 'PREFIX',
        meaning: 'all keys that begin with it, as a scan finds them',
      },
      SOFT,
      {
        name: 'settle',
        value: 'TIME',
        meaning: 'what is loaded within this time lives no longer than it: 5s',
      },
      DRY_RUN,
      YES,
    ],
    examples: [
      ['larder evict products:42 products:43 -n shop', 'two keys'],
      ['larder evict --prefix products:4 -n shop --dry-run', 'how many would it be?'],
    ],
  },
  {
    name: 'evict-tag',
    summary: 'Evict all entries that carry one of the tags, on all nodes',
    more: 'One step, however many entries there are. How many carry the tag is counted before, by a scan of bounded length.',
    takes: [{ name: 'TAG', isMany: true }],
    options: [SOFT, SCAN, DRY_RUN, YES],
    examples: [['larder evict-tag shop:7 -n shop', 'all that belongs to shop 7']],
  },
  {
    name: 'clear',
    summary: 'Evict everything of a cache, or of the namespace, on all nodes',
    more: 'Locks, limits and keys of other applications stay. On a terminal the name has to be typed.',
    takes: [{ name: 'CACHE', isOptional: true }],
    options: [SOFT, SCAN, DRY_RUN, YES],
    examples: [
      ['larder clear products -n shop', 'the cache products'],
      ['larder clear -n shop --yes', 'the namespace, without a question'],
    ],
  },
  {
    name: 'locks',
    summary: 'List locks that are held, with who waits; or show one',
    more: 'Who holds is the random name of the attempt. Nothing here takes, prolongs or releases a lock.',
    takes: [{ name: 'NAME', isOptional: true }],
    options: [
      { name: 'all', meaning: 'also those that nobody holds; they are remembered for an hour' },
      LIMIT,
      SCAN,
    ],
    examples: [
      ['larder locks -n shop', 'what is held now'],
      ['larder locks order:7 -n shop', 'one lock'],
    ],
  },
  {
    name: 'limits',
    summary: 'List what limiters have counted, and which keys are blocked',
    more: 'Counts are those of the last decision: what has left the window since is still in them.',
    takes: [{ name: 'LIMITER', isOptional: true }],
    options: [{ name: 'blocked', meaning: 'only keys that are blocked' }, LIMIT, SCAN],
    examples: [['larder limits api -n shop', 'the keys of the limiter api']],
  },
  {
    name: 'nodes',
    summary: 'Show which nodes run',
    more: 'How many listen is asked of Redis. Who they are, how they stand and what they count is shown of those that report themselves (the option `fleet` of a manager). With --json it is one object.',
    examples: [['larder nodes -n shop', 'which nodes run, and how are they?']],
  },
  {
    name: 'watch',
    summary: 'Print what nodes tell each other, until interrupted',
    more: 'Evictions of keys and tags, puts, doubts, and ends of loads that somebody waits for. Messages may be missed while the connection is away, which is said.',
    options: [LIMIT],
    examples: [['larder watch -n shop', 'is anything evicted at all?']],
    isLasting: true,
  },
  {
    name: 'doctor',
    summary: 'Check whether a Redis can do what Larder asks of it',
    more: 'By trying it, on keys that nobody uses. What the server does not let anybody find out is unknown, which is not a fault.',
    options: [{ name: 'strict', meaning: 'a warning counts as a fault' }],
    examples: [['larder doctor -n shop', 'before an application goes into operation']],
  },
]

export function commandNamed(name: string): CommandRow | undefined {
  return COMMANDS.find((command) => command.name === name)
}

/** The first line of a command's help: `larder evict [options] [KEY...]`. */
export function usageOf({ name, takes = [] }: CommandRow): string {
  const words = takes.map(({ name: word, isMany = false, isOptional = false }) => {
    const text = isMany ? `${word}...` : word
    return isOptional ? `[${text}]` : text
  })
  return ['larder', name, '[options]', ...words].join(' ')
}

/** An option as it is written: `-n, --namespace NAME`. */
export function optionText({ name, short, value }: OptionRow): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`
  return short === undefined ? long : `-${short}, ${long}`
}
