/**
 * The commands and what they take. Parsing, `--help` and the reference page are all made from this table.
 */

export interface OptionRow {
  readonly name: string
  readonly short?: string
  /** The name of its value; absent for a switch. */
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
  /** More about it, in one paragraph. */
  readonly more?: string
  readonly takes?: readonly ArgumentRow[]
  readonly options?: readonly OptionRow[]
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** @default true */
  readonly needsNamespace?: boolean
  /** True: it continues when the connection is lost, because it has a connection of its own that reconnects. @default false */
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
      'redis:// or rediss://, several separated by commas; or LARDER_URL, REDIS_URL. Put a password into the variable, not here',
  },
  { name: 'cluster', meaning: 'the URLs are nodes of a Cluster' },
  { name: 'sentinel', value: 'NAME', meaning: 'the URLs are sentinels of the master of this name' },
  {
    name: 'ca',
    value: 'FILE',
    meaning: 'PEM file with the certificate of the authority to trust for rediss://',
  },
  {
    name: 'config',
    value: 'FILE',
    meaning:
      'a .mjs or .js file that exports a manager or connection options; or LARDER_CONFIG, or larder.config.mjs in this folder',
  },
  { name: 'json', meaning: 'one JSON object per line, for programs' },
  { name: 'no-color', meaning: 'no colours; NO_COLOR does the same' },
  { name: 'help', short: 'h', meaning: 'explain the command' },
]

const SCAN: OptionRow = {
  name: 'scan',
  value: 'N',
  meaning:
    'look at about N keys of the server at most, keys of other applications included; 0 for all keys',
}
const LIMIT: OptionRow = { name: 'limit', value: 'N', meaning: 'end after N results' }
const YES: OptionRow = {
  name: 'yes',
  short: 'y',
  meaning: 'do not ask for confirmation; required without a terminal',
}
const DRY_RUN: OptionRow = { name: 'dry-run', meaning: 'print what would be done, and do nothing' }
const SOFT: OptionRow = {
  name: 'soft',
  meaning: 'keep the values, to be served when a load fails (staleIfError)',
}

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'namespaces',
    summary: 'List the namespaces that a server holds',
    more: 'Namespaces are recognized by the form of their keys. The command says when its scan did not reach all keys.',
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
    more: 'Keys are printed while the scan runs: in no order, and some of them perhaps twice. Memory does not grow with their number.',
    takes: [{ name: 'PREFIX', isOptional: true }],
    options: [
      { name: 'long', short: 'l', meaning: 'also print state, time left and size' },
      { name: 'tag', value: 'TAG', meaning: 'only entries that carry the tag' },
      LIMIT,
      SCAN,
    ],
    examples: [
      ['larder keys products: -n shop', 'all keys of the cache products'],
      ['larder keys -n shop --tag shop:7 --long', 'all keys that carry the tag shop:7'],
    ],
  },
  {
    name: 'show',
    summary:
      'Show what is stored under a key: times, tags, size, lease; with --values also the value',
    more: 'KEY is a full key: the name of the cache, a colon, and the key. A value can be decoded here unless it went through a codec step, such as encryption or compression.',
    takes: [{ name: 'KEY' }],
    options: [{ name: 'values', meaning: 'show the value as well' }],
    examples: [['larder show products:42 -n shop', 'the header of an entry']],
  },
  {
    name: 'explain',
    summary: 'Say why a read of a key would hit, miss or be stale now',
    more: 'The answer is for a node that has nothing in process. It is decided by what Redis holds: the header of the entry, the tag clock and its floor, the lease, the log.',
    takes: [{ name: 'KEY' }],
    examples: [['larder explain products:42 -n shop', 'why is it loaded again and again?']],
  },
  {
    name: 'evict',
    summary: 'Evict keys, on all nodes',
    more: 'The command runs the scripts that nodes use, so evictions are numbered, logged and published. With - it reads the keys from stdin, one per line, as text or as `larder keys --json` prints them.',
    takes: [{ name: 'KEY', isMany: true, isOptional: true }],
    options: [
      {
        name: 'prefix',
        value: 'PREFIX',
        meaning: 'all keys that begin with PREFIX; a scan finds them',
      },
      SOFT,
      {
        name: 'settle',
        value: 'TIME',
        meaning: 'for this time, such as 5s, nodes keep what they load only until it ends',
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
    more: 'This is one step, however many entries there are. Before it, a scan of limited length counts the entries that carry the tag.',
    takes: [{ name: 'TAG', isMany: true }],
    options: [SOFT, SCAN, DRY_RUN, YES],
    examples: [['larder evict-tag shop:7 -n shop', 'all that belongs to shop 7']],
  },
  {
    name: 'clear',
    summary: 'Evict everything of a cache, or of the namespace, on all nodes',
    more: 'Locks, limits and keys of other applications are not changed. On a terminal you have to type the name.',
    takes: [{ name: 'CACHE', isOptional: true }],
    options: [SOFT, SCAN, DRY_RUN, YES],
    examples: [
      ['larder clear products -n shop', 'the cache products'],
      ['larder clear -n shop --yes', 'the namespace, without a question'],
    ],
  },
  {
    name: 'locks',
    summary: 'List locks that are held, and how many wait for them; or show one lock',
    more: 'A holder is shown by the random name of its attempt. The command never takes, prolongs or releases a lock.',
    takes: [{ name: 'NAME', isOptional: true }],
    options: [
      { name: 'all', meaning: 'also locks that are not held; Redis remembers them for an hour' },
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
    more: 'Counts are those of the last decision. They still include what has left the window since then.',
    takes: [{ name: 'LIMITER', isOptional: true }],
    options: [{ name: 'blocked', meaning: 'only keys that are blocked' }, LIMIT, SCAN],
    examples: [['larder limits api -n shop', 'the keys of the limiter api']],
  },
  {
    name: 'sessions',
    summary: 'List the sessions of a user, or end one or all of them',
    more: 'The name of a session is a secret, so it is not shown: SESSION is a digest of it. What is ended stays ended, whatever requests are under way; applications that listen for ends are not told.',
    takes: [{ name: 'USER' }],
    options: [
      { name: 'name', value: 'NAME', meaning: 'the `name` of createSessions; web by default' },
      { name: 'end', value: 'SESSION', meaning: 'end this one' },
      { name: 'end-all', meaning: 'end all of them, in one step' },
      DRY_RUN,
      YES,
    ],
    examples: [
      ['larder sessions user-42 -n shop', 'where is this user logged in?'],
      ['larder sessions user-42 -n shop --end-all', 'log the user out everywhere'],
    ],
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
    more: 'Evictions of keys and tags, puts, doubts, and ends of loads that other nodes wait for. While the connection is lost, messages are missed, and the command says so.',
    options: [LIMIT],
    examples: [['larder watch -n shop', 'is anything evicted at all?']],
    isLasting: true,
  },
  {
    name: 'doctor',
    summary: 'Check whether a Redis can do what Larder needs',
    more: 'It tries everything, on keys that nothing else uses. What cannot be found out is shown as unknown, which is not a fault.',
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
